import type { LayerDefinition } from './layer-definition.ts';
import { data } from './layers/data.ts';
import type { PacketReader } from './packet-reader.ts';

/** Ports and other numbers to read as another protocol: `{ 'tcp.port': { 8090: 'websocket' } }`. */
export type DecodeAs = Readonly<Record<string, Readonly<Record<number, string>>>>;

/** Finds the layer that follows: by the numbers that announce it, then by what the payload looks like. */
export class LayerFinder {
  readonly #tables = new Map<string, Map<number, LayerDefinition>>();
  readonly #recognised: ReadonlyMap<string, readonly LayerDefinition[]>;

  /** @throws RangeError when `decodeAs` names a protocol that no layer has */
  constructor(layers: readonly LayerDefinition[], decodeAs: DecodeAs) {
    for (const layer of layers) {
      for (const [table, keys] of Object.entries(layer.announcedBy)) {
        for (const key of keys) this.#announce(table, key, layer);
      }
    }
    for (const [table, entries] of Object.entries(decodeAs)) {
      for (const [key, protocol] of Object.entries(entries)) {
        const called = layers.filter((candidate) => candidate.protocol === protocol);
        // DNS is two layers, over UDP and over TCP: the one that is at home in the table is meant.
        const layer = called.findLast(({ announcedBy }) => table in announcedBy) ?? called.at(-1);
        if (layer === undefined) {
          throw new RangeError(`Cannot decode ${table} ${key}: no layer is called ${protocol}`);
        }
        this.#announce(table, Number(key), layer);
      }
    }
    this.#recognised = new Map([
      ['tcp.port', layers.filter((layer) => layer.recognises?.in === 'tcp.payload')],
      ['udp.port', layers.filter((layer) => layer.recognises?.in === 'udp.payload')],
    ]);
  }

  #announce(table: string, key: number, layer: LayerDefinition): void {
    const entries = this.#tables.get(table) ?? new Map<number, LayerDefinition>();
    this.#tables.set(table, entries.set(key, layer));
  }

  /** The layer that the numbers of `packet.payload()` announce; `data` when nobody claims it. */
  announced(packet: PacketReader): LayerDefinition {
    const table = this.#tables.get(packet.payloadTable);
    const found = table?.get(packet.payloadKey) ?? table?.get(packet.payloadOtherKey);
    if (found !== undefined) return found;
    const candidates = this.#recognised.get(packet.payloadTable);
    return candidates?.find((layer) => layer.recognises?.test(packet)) ?? data;
  }

  /** What follows the layer just read; undefined at the end. */
  next(packet: PacketReader): LayerDefinition | undefined {
    if (!packet.hasPayload) return undefined;
    if (packet.nextLayer !== undefined) return packet.nextLayer;
    return packet.remaining === 0 ? undefined : this.announced(packet);
  }
}
