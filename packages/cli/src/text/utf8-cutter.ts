/**
 * Cuts a stream of bytes between UTF-8 characters: an incomplete one waits for its rest. Bytes that
 * are not UTF-8 pass as they are.
 */
export class Utf8Cutter {
  #rest: Buffer = Buffer.alloc(0);

  /** What can go out: all but an incomplete character at the end. Empty if nothing can. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const end = bytes.length - incompleteBytes(bytes);
    this.#rest = Buffer.from(bytes.subarray(end));
    return bytes.subarray(0, end);
  }

  /** What still waits, at the end of the stream. */
  end(): Buffer {
    const rest = this.#rest;
    this.#rest = Buffer.alloc(0);
    return rest;
  }
}

/** How many bytes at the end begin a character that isn't complete: 0 to 3. */
function incompleteBytes(bytes: Buffer): number {
  const last = bytes.length - 1;
  for (let back = 0; back < 3 && back <= last; back++) {
    const byte = bytes.readUInt8(last - back);
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back + 1 < characterLength(byte) ? back + 1 : 0;
  }
  return 0;
}

/** RFC 3629, section 3; 1 for a byte that begins no character. */
function characterLength(first: number): number {
  if (first >= 0xf8) return 1;
  if (first >= 0xf0) return 4;
  return first >= 0xe0 ? 3 : 2;
}
