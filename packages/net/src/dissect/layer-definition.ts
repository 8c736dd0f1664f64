import type { PacketReader } from './packet-reader.ts';

/**
 * The number of the layer below that announces this one: `{ 'ip.proto': [17] }`, `{ 'tcp.port': [80] }`.
 * The built-in layers ask in the tables `linktype`, `ethertype`, `ip.proto`, `tcp.port` and
 * `udp.port`; a layer opens a table of its own by naming it in `packet.payload()`.
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
 * const path = { source: '10.0.0.1', destination: '10.0.0.2' };
 * const payload = Uint8Array.of(2, 0x68, 0x69);
 * const datagram = udpDatagram(path, { sourcePort: 5, destinationPort: 9000, payload });
 * const packet = ipPacket({ ...path, protocol: 17, payload: datagram });
 * const dissect = createDissector({ layers: [...builtInLayers, greeting] });
 * const { layers } = dissect(packet, { linkType: linkType.raw });
 * assert.equal(layers.at(-1)?.value('greeting.text'), 'hi');
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
