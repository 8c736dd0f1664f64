import type { PacketReader } from './packet-reader.ts';

/**
 * The number of the layer below that announces this one: `{ 'ip.proto': [17] }`, `{ 'tcp.port': [80] }`.
 * The built-in layers ask in the tables `linktype`, `ethertype`, `ip.proto`, `tcp.port`,
 * `udp.port` and `sctp.ppid`; a layer may open a table of its own by naming it in `payload()`.
 */
export type Announcements = Readonly<Record<string, readonly number[]>>;

/** Looks at the first bytes of a payload that no port announced; it peeks and never moves. */
export interface Recognition {
  readonly in: 'tcp.payload' | 'udp.payload';
  readonly test: (packet: PacketReader) => boolean;
}

/**
 * A protocol: where it is found and how it is read. One file holds one, and
 * `createDissector({ layers: [...builtInLayers, mine] })` uses it. Later definitions win.
 *
 * @example
 * ```ts
 * const greeting: LayerDefinition = {
 *   protocol: 'greeting',
 *   announcedBy: { 'udp.port': [9000] },
 *   dissect(packet) {
 *     const length = packet.u8('greeting.length');
 *     packet.text('greeting.text', length);
 *   },
 * };
 * ```
 */
export interface LayerDefinition {
  readonly protocol: string;
  readonly announcedBy: Announcements;
  readonly recognises?: Recognition;
  /** For an outermost layer: reads what follows the payload, up to the packet's end (`eth.padding`). */
  readonly trailer?: (packet: PacketReader) => void;
  /** Reads with the checked reader, which ends the dissection by itself where bytes are missing. */
  readonly dissect: (packet: PacketReader) => void;
}
