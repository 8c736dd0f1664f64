import { CaptureFileError } from './capture-file-error.ts';
import { type CaptureItem, PacketItem } from './capture-item.ts';
import type { ChunkWindow } from './chunk-window.ts';

const headerLength = 24;
const recordHeaderLength = 16;

/** The four magics of pcap files, as their first four bytes read in network order. */
const forms: ReadonlyMap<number, { littleEndian: boolean; nanoseconds: boolean }> = new Map([
  [0xa1b2c3d4, { littleEndian: false, nanoseconds: false }],
  [0xd4c3b2a1, { littleEndian: true, nanoseconds: false }],
  [0xa1b23c4d, { littleEndian: false, nanoseconds: true }],
  [0x4d3cb2a1, { littleEndian: true, nanoseconds: true }],
]);

/** Whether a file that begins with these four bytes is a pcap file. */
export function isPcapMagic(magic: number): boolean {
  return forms.has(magic);
}

/**
 * Items of a pcap file, as its bytes arrive in the window (draft-ietf-opsawg-pcap).
 *
 *     | magic | major.minor | reserved 8 | snap length | link type |
 *     | seconds | micro- or nanoseconds | captured | original | packet ...
 */
export class PcapItems {
  readonly #window: ChunkWindow;
  readonly #maxRecordBytes: number;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #seen: Uint8Array | undefined;
  #littleEndian = false;
  #fraction = 1000;
  #linkType = -1;

  constructor(window: ChunkWindow, maxRecordBytes: number) {
    this.#window = window;
    this.#maxRecordBytes = maxRecordBytes;
  }

  *items(): Generator<CaptureItem, void, undefined> {
    const window = this.#window;
    if (this.#linkType < 0) {
      if (window.length < headerLength) return;
      this.#look();
      yield* this.#header();
    }
    while (window.length >= recordHeaderLength) {
      this.#look();
      const packet = this.#record();
      if (packet === undefined) return;
      yield packet;
    }
  }

  /** Another push() may have moved the window while the caller was iterating. */
  #look(): void {
    const { bytes } = this.#window;
    if (this.#seen === bytes) return;
    this.#seen = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  *#header(): Generator<CaptureItem, void, undefined> {
    const window = this.#window;
    const at = window.start;
    const form = forms.get(this.#view.getUint32(at));
    if (form === undefined) throw new CaptureFileError('wrong magic', window.offset(), 'pcap');
    const { littleEndian } = form;
    this.#littleEndian = littleEndian;
    this.#fraction = form.nanoseconds ? 1 : 1000;
    const major = this.#view.getUint16(at + 4, littleEndian);
    if (major !== 2) {
      throw new CaptureFileError(`version ${major}`, window.offset(at + 4), 'version 2');
    }
    // The upper bits may say how long the frame check sequence is.
    this.#linkType = this.#u32(at + 20) & 0xffff;
    const snapLength = this.#u32(at + 16);
    window.start += headerLength;
    yield { type: 'section', format: 'pcap', littleEndian };
    yield { type: 'interface', id: 0, linkType: this.#linkType, snapLength };
  }

  #record(): PacketItem | undefined {
    const window = this.#window;
    const at = window.start;
    const captured = this.#u32(at + 8);
    if (captured > this.#maxRecordBytes) {
      throw new CaptureFileError(
        `captured length ${captured}`,
        window.offset(at + 8),
        `at most ${this.#maxRecordBytes}`,
      );
    }
    if (window.length < recordHeaderLength + captured) return undefined;
    const fraction = this.#u32(at + 4);
    if (fraction * this.#fraction >= 1e9) {
      throw new CaptureFileError(
        `fraction ${fraction} of a second`,
        window.offset(at + 4),
        `less than ${1e9 / this.#fraction}`,
      );
    }
    const start = at + recordHeaderLength;
    window.start = start + captured;
    return new PacketItem({
      buffer: window.bytes,
      start,
      end: start + captured,
      seconds: this.#u32(at),
      nanoseconds: fraction * this.#fraction,
      originalLength: this.#u32(at + 12),
      linkType: this.#linkType,
    });
  }
}
