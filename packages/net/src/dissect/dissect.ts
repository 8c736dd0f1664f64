import { Layer } from './layer.ts';
import type { LayerDefinition } from './layer-definition.ts';
import { builtInLayers } from './layers/built-in-layers.ts';
import { data } from './layers/data.ts';
import { PacketReader, type Stop } from './packet-reader.ts';

/** What one packet contains, and where understanding ended. */
export interface Dissection {
  /** From the outermost inwards. */
  readonly layers: readonly Layer[];
  /** Empty when everything was understood. */
  readonly stops: readonly Stop[];
}

/** How one packet is read. */
export interface DissectOptions {
  /** LINKTYPE_ number of the first layer (tcpdump.org/linktypes.html); default 1, Ethernet. */
  readonly linkType?: number;
  /** Byte offset of the packet in `bytes`; default 0. All bit ranges count from `bytes`' start. */
  readonly start?: number;
  /** Byte offset behind the packet; default the length of `bytes`. */
  readonly end?: number;
  /** Bytes the packet had on the wire, when the capture kept fewer; default all that is there. */
  readonly originalLength?: number;
}

/** What a dissector knows and how far it goes. */
export interface DissectorOptions {
  /** Later definitions win over earlier ones; default `builtInLayers`. */
  readonly layers?: readonly LayerDefinition[];
  /** Ports and other numbers to read as another protocol: `{ 'tcp.port': { 8090: 'websocket' } }`. */
  readonly decodeAs?: Readonly<Record<string, Readonly<Record<number, string>>>>;
  /** Layers of one packet at most; default 32, tunnels included. */
  readonly maxLayers?: number;
  /** Fields of one packet at most; default 4096, which a 64 KiB DNS message of small records reaches. */
  readonly maxFields?: number;
}

/** Dissects packets with a fixed set of layers. */
export type Dissector = (bytes: Uint8Array, options?: DissectOptions) => Dissection;

type LayerTables = ReadonlyMap<string, ReadonlyMap<number, LayerDefinition>>;

function layerTables(layers: readonly LayerDefinition[], decodeAs: DissectorOptions['decodeAs']) {
  const tables = new Map<string, Map<number, LayerDefinition>>();
  const announce = (table: string, key: number, layer: LayerDefinition): void => {
    const entries = tables.get(table) ?? new Map<number, LayerDefinition>();
    tables.set(table, entries.set(key, layer));
  };
  for (const layer of layers) {
    for (const [table, keys] of Object.entries(layer.announcedBy)) {
      for (const key of keys) announce(table, key, layer);
    }
  }
  for (const [table, entries] of Object.entries(decodeAs ?? {})) {
    for (const [key, protocol] of Object.entries(entries)) {
      const layer = layers.findLast((candidate) => candidate.protocol === protocol);
      if (layer === undefined) {
        throw new RangeError(`Cannot decode ${table} ${key}: no layer is called ${protocol}`);
      }
      announce(table, Number(key), layer);
    }
  }
  return tables;
}

function recognisers(layers: readonly LayerDefinition[], where: string): LayerDefinition[] {
  return layers.filter((layer) => layer.recognises?.in === where);
}

/**
 * Makes a dissector for a set of layers.
 *
 * The dissector never throws on packet bytes: what was understood is returned, with a `Stop` for
 * each place where bytes were missing, contradicted the protocol or exceeded a limit. It keeps no
 * state, so that packets may come in any order; fragments and streams are the work of
 * `FragmentReassembler` and `ConversationTracker`.
 *
 * @throws RangeError when `decodeAs` names a protocol that no layer has
 *
 * @example
 * ```ts
 * const dissect = createDissector({ decodeAs: { 'tcp.port': { 8090: 'websocket' } } });
 * assert.deepEqual(dissect(new Uint8Array(0)).layers.map((layer) => layer.protocol), ['eth']);
 * ```
 */
export function createDissector(options: DissectorOptions = {}): Dissector {
  const { layers = builtInLayers, decodeAs, maxLayers = 32, maxFields = 4096 } = options;
  const tables: LayerTables = layerTables(layers, decodeAs);
  const heuristics = new Map([
    ['tcp.port', recognisers(layers, 'tcp.payload')],
    ['udp.port', recognisers(layers, 'udp.payload')],
  ]);

  /** Bytes behind what the network layer's length covers belong to the link layer. */
  function addTrailer(packet: PacketReader, found: readonly Layer[], end: number): void {
    const layer = found[0]!;
    const trailer = layers.findLast((candidate) => candidate.protocol === layer.protocol)?.trailer;
    if (trailer === undefined) return;
    packet.begin(layer);
    packet.end = end;
    packet.at = packet.trailerStart;
    try {
      trailer(packet);
    } catch (error) {
      if (!PacketReader.isStop(error)) throw error;
    }
  }

  function next(packet: PacketReader): LayerDefinition | undefined {
    if (!packet.hasPayload) return undefined;
    if (packet.nextLayer !== undefined) return packet.nextLayer;
    if (packet.remaining === 0) return undefined;
    const table = tables.get(packet.payloadTable);
    const found = table?.get(packet.payloadKey) ?? table?.get(packet.payloadOtherKey);
    if (found !== undefined) return found;
    const candidates = heuristics.get(packet.payloadTable);
    return candidates?.find((layer) => layer.recognises?.test(packet)) ?? data;
  }

  return function dissect(bytes, packetOptions = {}) {
    const { linkType = 1, start = 0, end = bytes.length } = packetOptions;
    const originalLength = packetOptions.originalLength ?? end - start;
    const packet = new PacketReader(bytes, { start, end, originalLength, maxFields });
    const found: Layer[] = [];
    try {
      let definition: LayerDefinition | undefined = tables.get('linktype')?.get(linkType) ?? data;
      while (definition !== undefined) {
        const layer: Layer = new Layer(definition.protocol, packet.at);
        packet.begin(layer);
        found.push(layer);
        if (found.length > maxLayers) packet.tooDeep(maxLayers);
        definition.dissect(packet);
        layer.end = packet.at;
        if (packet.nextLayer !== undefined && layer.fields.length === 0) found.pop();
        definition = next(packet);
      }
    } catch (error) {
      if (!PacketReader.isStop(error)) throw error;
      found.at(-1)!.end = packet.at;
    }
    if (packet.trailerStart >= 0 && packet.trailerStart < end) addTrailer(packet, found, end);
    return { layers: found, stops: packet.stops };
  };
}
