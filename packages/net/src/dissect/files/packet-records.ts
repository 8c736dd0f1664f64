import { blockType, optionCode, padded } from './pcapng-format.ts';

// A block without its packet: type, length, interface, time, two lengths; flags and end of options;
// length again.
const HEAD_BYTES = 28;
const TAIL_BYTES = 16;
// From here on the engine's own copy is faster than a loop of ours, which makes no view; measured.
const LONG_BYTES = 512;
const WORD = 4294967296;

/** What a record says of a packet besides its bytes. */
export interface RecordedPacket {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly originalLength: number;
  readonly isOutgoing: boolean;
}

/**
 * Enhanced packet blocks of interface 0, one behind the other in memory that is used again: what
 * `PcapngWriter` makes of the same packets, without an object for each.
 *
 * Source: draft-ietf-opsawg-pcapng 4.3.
 */
export class PacketRecords {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;
  #count = 0;

  constructor(capacityBytes: number) {
    this.#bytes = new Uint8Array(capacityBytes);
    this.#view = new DataView(this.#bytes.buffer);
  }

  /** A view that the next `clear()` gives up. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  get count(): number {
    return this.#count;
  }

  clear(): void {
    this.#length = 0;
    this.#count = 0;
  }

  /** Adds the packet `[start, end)` of what `source` shows from its first byte on. */
  add(source: DataView, start: number, end: number, packet: RecordedPacket): void {
    const length = end - start;
    const size = HEAD_BYTES + padded(length) + TAIL_BYTES;
    if (this.#length + size > this.#bytes.length) this.#grow(size);
    const view = this.#view;
    const at = this.#length;
    view.setUint32(at, blockType.enhancedPacket, true);
    view.setUint32(at + 4, size, true);
    view.setUint32(at + 8, 0, true);
    this.#time(at + 12, packet);
    view.setUint32(at + 20, length, true);
    view.setUint32(at + 24, packet.originalLength, true);
    this.#copy(source, start, end, at + HEAD_BYTES);
    const tail = at + size - TAIL_BYTES;
    view.setUint16(tail, optionCode.packetFlags, true);
    view.setUint16(tail + 2, 4, true);
    view.setUint32(tail + 4, packet.isOutgoing ? 2 : 1, true);
    view.setUint32(tail + 8, 0, true);
    view.setUint32(tail + 12, size, true);
    this.#length += size;
    this.#count++;
  }

  #time(at: number, { seconds, nanoseconds }: RecordedPacket): void {
    // As in LittleEndianBlock: seconds · 1e9 in two parts, each below 2^53.
    const upper = Math.floor(seconds / 65536) * 1e9;
    const lower = (seconds % 65536) * 1e9 + nanoseconds + (upper % 65536) * 65536;
    this.#view.setUint32(at, Math.floor(upper / 65536) + Math.floor(lower / WORD), true);
    this.#view.setUint32(at + 4, lower % WORD, true);
  }

  #copy(source: DataView, start: number, end: number, to: number): void {
    const length = end - start;
    if (length >= LONG_BYTES) {
      const from = new Uint8Array(source.buffer, source.byteOffset + start, length);
      this.#bytes.set(from, to);
      this.#view.setUint32(to + (length & ~3), 0, true);
      this.#bytes.set(from.subarray(length & ~3), to + (length & ~3));
      return;
    }
    const view = this.#view;
    let at = start;
    for (; at + 4 <= end; at += 4)
      view.setUint32(to + at - start, source.getUint32(at, true), true);
    if (at === end) return;
    let rest = 0;
    for (let byte = end - 1; byte >= at; byte--) rest = (rest << 8) | source.getUint8(byte);
    view.setUint32(to + at - start, rest, true);
  }

  #grow(size: number): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length + size));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
