const HEADER_BYTES = 5;
// RFC 8446, section 5.2, and what TLS 1.2 allows.
const LONGEST_BYTES = 16 * 1024 + 2048;
// change_cipher_spec, the first of the content types, and application_data, the last.
const FIRST_TYPE = 20;
const LAST_TYPE = 23;

const NONE = Buffer.alloc(0);

/** Cuts a stream into the records of TLS. */
export class RecordSplitter {
  #bytes: Buffer = NONE;

  push(bytes: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? bytes : Buffer.concat([this.#bytes, bytes]);
  }

  /** The next whole record; undefined until it is there. What can't be TLS is one piece. */
  next(): Buffer | undefined {
    const bytes = this.#bytes;
    if (bytes.length === 0) return undefined;
    const [type = 0] = bytes;
    if (type < FIRST_TYPE || type > LAST_TYPE) return this.rest();
    if (bytes.length < HEADER_BYTES) return undefined;
    const length = bytes.readUInt16BE(3);
    if (length > LONGEST_BYTES) return this.rest();
    const end = HEADER_BYTES + length;
    if (bytes.length < end) return undefined;
    this.#bytes = bytes.length === end ? NONE : bytes.subarray(end);
    return bytes.length === end ? bytes : bytes.subarray(0, end);
  }

  /** Everything that has not been taken. */
  rest(): Buffer {
    const rest = this.#bytes;
    this.#bytes = NONE;
    return rest;
  }
}
