import { FrameMalformedError } from '../../codec/index.ts';

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Reads the fields of a message, big-endian; a field outside the bytes or its range throws. */
export class FieldReader {
  #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  /** Where the next field starts. */
  get at(): number {
    return this.#at;
  }

  u8(): number {
    return this.#bytes.readUInt8(this.#take(1));
  }

  u16(): number {
    return this.#bytes.readUInt16BE(this.#take(2));
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  /** An unsigned number of 64 bits, at most `most`. */
  u64(name: string, most: number): number {
    const at = this.#take(8);
    const value = this.#bytes.readUInt32BE(at) * 2 ** 32 + this.#bytes.readUInt32BE(at + 4);
    return value <= most ? value : malformed(`${name} ${value} exceeds ${most}`);
  }

  i64(name: string): number {
    const value = Number(this.#bytes.readBigInt64BE(this.#take(8)));
    return Number.isSafeInteger(value) ? value : malformed(`${name} ${value} is out of range`);
  }

  /** A view of the next bytes. */
  bytes(count: number): Buffer {
    const at = this.#take(count);
    return this.#bytes.subarray(at, at + count);
  }

  /** A text of at most `most` bytes. */
  text(name: string, most: number): string {
    const length = this.u16();
    if (length > most) malformed(`${name} of ${length} bytes exceeds ${most}`);
    const bytes = this.bytes(length);
    try {
      return utf8.decode(bytes);
    } catch {
      return malformed(`${name} is not UTF-8`);
    }
  }

  #take(count: number): number {
    if (count > this.left) malformed(`a field of ${count} bytes has ${this.left}`);
    const at = this.#at;
    this.#at += count;
    return at;
  }
}

/** Throws the error of a frame that is none of this protocol's. */
export function malformed(state: string): never {
  throw new FrameMalformedError('decode', state);
}
