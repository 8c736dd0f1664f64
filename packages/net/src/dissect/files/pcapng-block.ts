import { optionCode, padded } from './pcapng-format.ts';

const utf8 = new TextEncoder();
const maxOptionBytes = 0xffff;

/** Writes one pcapng block, little-endian; `finish()` closes its options and sets both lengths. */
export class LittleEndianBlock {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 8;
  #hasOptions = false;

  constructor(type: number, capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
    this.#view.setUint32(0, type, true);
  }

  u16(value: number): this {
    this.#room(2);
    this.#view.setUint16(this.#at, value, true);
    this.#at += 2;
    return this;
  }

  u32(value: number): this {
    this.#room(4);
    this.#view.setUint32(this.#at, value, true);
    this.#at += 4;
    return this;
  }

  u64(value: bigint): this {
    this.#room(8);
    this.#view.setBigUint64(this.#at, value, true);
    this.#at += 8;
    return this;
  }

  /** Nanoseconds since 1970, upper word first whatever the byte order. */
  time(seconds: number, nanoseconds: number): this {
    // seconds · 1e9 in two parts: each product stays below 2^53, which one of them alone would not.
    const upper = Math.floor(seconds / 65536) * 1e9;
    const lower = (seconds % 65536) * 1e9 + nanoseconds + (upper % 65536) * 65536;
    const high = Math.floor(upper / 65536) + Math.floor(lower / 4294967296);
    return this.u32(high).u32(lower % 4294967296);
  }

  /** Bytes, padded to 32 bits. */
  bytes(bytes: Uint8Array): this {
    const length = padded(bytes.length);
    this.#room(length);
    this.#bytes.set(bytes, this.#at);
    this.#at += length;
    return this;
  }

  /** @throws RangeError when the value is longer than an option can be */
  option(code: number, value: Uint8Array): this {
    if (value.length > maxOptionBytes) {
      throw new RangeError(
        `Cannot write pcapng: option of ${value.length} bytes exceeds ${maxOptionBytes}`,
      );
    }
    this.#hasOptions = true;
    return this.u16(code).u16(value.length).bytes(value);
  }

  option32(code: number, value: number): this {
    this.#hasOptions = true;
    return this.u16(code).u16(4).u32(value);
  }

  option64(code: number, value: bigint): this {
    this.#hasOptions = true;
    return this.u16(code).u16(8).u64(value);
  }

  text(code: number, value: string | undefined): this {
    return value === undefined ? this : this.option(code, utf8.encode(value));
  }

  comments(comments: readonly string[] | undefined): this {
    for (const comment of comments ?? []) this.text(optionCode.comment, comment);
    return this;
  }

  finish(): Uint8Array {
    if (this.#hasOptions) this.u32(0);
    const length = this.#at + 4;
    this.u32(length);
    this.#view.setUint32(4, length, true);
    return this.#bytes.subarray(0, length);
  }

  #room(count: number): void {
    if (this.#at + count <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
