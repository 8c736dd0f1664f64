import { Layer } from './layer.ts';
import type { LayerDefinition } from './layer-definition.ts';
import { type DecodeAs, LayerFinder } from './layer-finder.ts';
import { builtInLayers } from './layers/built-in-layers.ts';
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
  /**
   * The bytes are the payload of a layer, such as a stream that StreamReassembler put in order, and
   * this is how the layer below announces them: `{ table: 'tcp.port', keys: [443, 51000] }`.
   */
  readonly payloadOf?: { readonly table: string; readonly keys: readonly [number, number?] };
  /** Bytes the packet had on the wire, when the capture kept fewer; default all that is there. */
  readonly originalLength?: number;
}

/** What a dissector knows and how far it goes. */
export interface DissectorOptions {
  /** Later definitions win over earlier ones; default `builtInLayers`. */
  readonly layers?: readonly LayerDefinition[];
  /** Default none. */
  readonly decodeAs?: DecodeAs;
  /** Layers of one packet at most; default 32, tunnels included. */
  readonly maxLayers?: number;
  /** Fields of one packet at most; default 4096, which a 64 KiB DNS message of small records reaches. */
  readonly maxFields?: number;
}

/** Dissects packets with a fixed set of layers. */
export type Dissector = (bytes: Uint8Array, options?: DissectOptions) => Dissection;

/**
 * Makes a dissector for a set of layers.
 *
 * The dissector never throws on packet bytes: what was understood is returned, with a `Stop` for
 * each place where bytes were missing, contradicted the protocol or exceeded a limit, or where the
 * code of a layer threw. It keeps no
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
  const { layers = builtInLayers, decodeAs = {}, maxLayers = 32, maxFields = 4096 } = options;
  const finder = new LayerFinder(layers, decodeAs);

  return function dissect(bytes, packetOptions = {}) {
    const { linkType = 1, start = 0, payloadOf } = packetOptions;
    const end = Math.min(packetOptions.end ?? bytes.length, bytes.length);
    const originalLength = packetOptions.originalLength ?? end - start;
    const packet = new PacketReader(bytes, { start, end, originalLength, maxFields });
    const found: Layer[] = [];
    if (payloadOf === undefined) packet.payload('linktype', linkType);
    else packet.payload(payloadOf.table, ...payloadOf.keys);
    try {
      readLayers(packet, found, { finder, maxLayers });
    } catch (error) {
      if (!PacketReader.isStop(error)) packet.failed(error);
      found.at(-1)!.end = packet.at;
    }
    const hasTrailer = packet.trailerStart >= 0 && packet.trailerStart < end;
    if (hasTrailer) readTrailer(packet, { layer: found[0]!, layers, end });
    return { layers: found, stops: packet.stops };
  };
}

function readLayers(
  packet: PacketReader,
  found: Layer[],
  { finder, maxLayers }: { finder: LayerFinder; maxLayers: number },
): void {
  let definition: LayerDefinition | undefined = finder.announced(packet);
  while (definition !== undefined) {
    const layer = new Layer(definition.protocol, packet.at);
    packet.begin(layer);
    found.push(layer);
    if (found.length > maxLayers) packet.tooDeep(maxLayers);
    definition.dissect(packet);
    layer.end = packet.at;
    // It was another layer's after all: the first HTTP exchange on a WebSocket's port.
    if (packet.nextLayer !== undefined && layer.fields.length === 0) found.pop();
    definition = finder.next(packet);
  }
}

/** Bytes behind what the network layer's length covers belong to the link layer. */
function readTrailer(
  packet: PacketReader,
  { layer, layers, end }: { layer: Layer; layers: readonly LayerDefinition[]; end: number },
): void {
  const trailer = layers.findLast((candidate) => candidate.protocol === layer.protocol)?.trailer;
  if (trailer === undefined) return;
  packet.begin(layer);
  packet.end = end;
  packet.at = packet.trailerStart;
  try {
    trailer(packet);
  } catch (error) {
    if (!PacketReader.isStop(error)) packet.failed(error);
  }
}
