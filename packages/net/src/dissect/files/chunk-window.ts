/**
 * The unread bytes of a stream of chunks, contiguous. A chunk is used in place while nothing is
 * left over from the one before; otherwise both are copied into a buffer that doubles, so that a
 * record that arrives byte by byte costs linear time. Bytes that were handed out are never
 * overwritten: views of them stay valid.
 */
export class ChunkWindow {
  bytes: Uint8Array = new Uint8Array(0);
  /** First unread byte. */
  start = 0;
  /** Behind the last byte. */
  end = 0;
  /** Offset in the stream of `bytes[0]`. */
  #base = 0;
  #isOwn = false;

  get length(): number {
    return this.end - this.start;
  }

  /** Offset in the stream of the byte at `at`. */
  offset(at = this.start): number {
    return this.#base + at;
  }

  push(chunk: Uint8Array): void {
    if (this.length === 0) this.#adopt(chunk);
    else if (this.#isOwn && this.end + chunk.length <= this.bytes.length) this.#append(chunk);
    else this.#move(chunk);
  }

  #adopt(chunk: Uint8Array): void {
    this.#base += this.start;
    this.bytes = chunk;
    this.start = 0;
    this.end = chunk.length;
    this.#isOwn = false;
  }

  #append(chunk: Uint8Array): void {
    this.bytes.set(chunk, this.end);
    this.end += chunk.length;
  }

  #move(chunk: Uint8Array): void {
    const length = this.length;
    const larger = new Uint8Array((length + chunk.length) * 2);
    larger.set(this.bytes.subarray(this.start, this.end));
    this.#base += this.start;
    this.bytes = larger;
    this.start = 0;
    this.end = length;
    this.#isOwn = true;
    this.#append(chunk);
  }
}
