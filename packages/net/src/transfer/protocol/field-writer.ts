import { FrameMalformedError } from '../../codec/index.ts';

/** Appends fields of a message to a buffer, big-endian. */
export class FieldWriter {
  #bytes: Buffer;
  #length = 0;

  constructor(capacity: number) {
    this.#bytes = Buffer.allocUnsafe(capacity);
  }

  /** What was written, a view. */
  get written(): Buffer {
    return this.#bytes.subarray(0, this.#length);
  }

  u8(value: number): this {
    this.#length = this.#room(1).writeUInt8(value, this.#length);
    return this;
  }

  u16(value: number): this {
    this.#length = this.#room(2).writeUInt16BE(value, this.#length);
    return this;
  }

  u32(value: number): this {
    this.#length = this.#room(4).writeUInt32BE(value, this.#length);
    return this;
  }

  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  i64(value: number): this {
    const high = Math.floor(value / 2 ** 32);
    this.#length = this.#room(8).writeInt32BE(high, this.#length);
    return this.u32(value - high * 2 ** 32);
  }

  bytes(value: Uint8Array): this {
    this.#room(value.length).set(value, this.#length);
    this.#length += value.length;
    return this;
  }

  /** A text, its length in 16 bits before it. */
  text(value: string): this {
    const bytes = Buffer.byteLength(value);
    if (bytes > 0xffff) {
      throw new FrameMalformedError('encode', `a text of ${bytes} bytes exceeds 65535`);
    }
    this.u16(bytes);
    this.#length += this.#room(bytes).write(value, this.#length);
    return this;
  }

  #room(count: number): Buffer {
    if (this.#length + count > this.#bytes.length) {
      const grown = Buffer.allocUnsafe(2 * (this.#length + count));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
