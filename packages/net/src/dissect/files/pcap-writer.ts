import type { CaptureItem, PacketItem } from './capture-item.ts';

const empty = new Uint8Array(0);

/** How a pcap file is written. */
export interface PcapWriterOptions {
  /** LINKTYPE_ number of all packets; default 1, Ethernet. */
  readonly linkType?: number;
  /** Default 262144, libpcap's own. */
  readonly snapLength?: number;
  /** Default true; false cuts times to microseconds. */
  readonly nanoseconds?: boolean;
  /** Default true. */
  readonly littleEndian?: boolean;
}

/**
 * Writes a pcap file: `header()` once, then `encode(item)` for each item.
 *
 * The format has one link type and holds packets only: other items encode to nothing.
 *
 * @throws RangeError when a packet is of another link type
 *
 * @example
 * ```ts
 * const writer = new PcapWriter({ linkType: 101 });
 * assert.equal(writer.header().length, 24);
 * ```
 */
export class PcapWriter {
  readonly #linkType: number;
  readonly #snapLength: number;
  readonly #nanoseconds: boolean;
  readonly #littleEndian: boolean;

  constructor(options: PcapWriterOptions = {}) {
    this.#linkType = options.linkType ?? 1;
    this.#snapLength = options.snapLength ?? 262_144;
    this.#nanoseconds = options.nanoseconds ?? true;
    this.#littleEndian = options.littleEndian ?? true;
  }

  header(): Uint8Array {
    const view = new DataView(new ArrayBuffer(24));
    const little = this.#littleEndian;
    view.setUint32(0, this.#nanoseconds ? 0xa1b23c4d : 0xa1b2c3d4, little);
    view.setUint16(4, 2, little);
    view.setUint16(6, 4, little);
    view.setUint32(16, this.#snapLength, little);
    view.setUint32(20, this.#linkType, little);
    return new Uint8Array(view.buffer);
  }

  encode(item: CaptureItem): Uint8Array {
    return item.type === 'packet' ? this.#packet(item) : empty;
  }

  #packet(packet: PacketItem): Uint8Array {
    if (packet.linkType !== this.#linkType) {
      throw new RangeError(
        `Cannot write pcap: link type ${packet.linkType} in a file of link type ${this.#linkType}`,
      );
    }
    const bytes = new Uint8Array(16 + packet.capturedLength);
    const view = new DataView(bytes.buffer);
    const little = this.#littleEndian;
    const fraction = this.#nanoseconds ? packet.nanoseconds : Math.floor(packet.nanoseconds / 1000);
    view.setUint32(0, packet.seconds, little);
    view.setUint32(4, fraction, little);
    view.setUint32(8, packet.capturedLength, little);
    view.setUint32(12, packet.originalLength, little);
    bytes.set(packet.bytes, 16);
    return bytes;
  }
}
