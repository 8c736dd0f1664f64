const NEWLINE = 0x0a;
const RETURN = 0x0d;
// A datagram a read, as nc, which reads 16 KiB at once.
const DATAGRAM_BYTES = 16 * 1024;
// A line's limit (docs: safety, "Bounds").
const MAX_LINE_BYTES = 64 * 1024;

/** What one send takes: what one read gave, a datagram's share of it, or a line. */
export type SendUnit = 'read' | 'datagram' | 'line';

export interface OutgoingOptions {
  readonly unit: SendUnit;
  /** Sends CR LF for each newline. */
  readonly crlf: boolean;
}

/** Cuts what comes from stdin into what is sent in one go. */
export class Outgoing {
  #options: OutgoingOptions;
  #rest: Buffer = Buffer.alloc(0);
  #endsInReturn = false;

  constructor(options: OutgoingOptions) {
    this.#options = options;
  }

  *push(chunk: Buffer): Iterable<Buffer> {
    switch (this.#options.unit) {
      case 'line':
        yield* this.#lines(chunk);
        return;
      case 'datagram':
        for (let at = 0; at < chunk.length; at += DATAGRAM_BYTES) {
          yield this.#withReturns(chunk.subarray(at, at + DATAGRAM_BYTES));
        }
        return;
      case 'read':
        yield this.#withReturns(chunk);
        return;
      default:
        this.#options.unit satisfies never;
    }
  }

  /** The last line, if it has no newline. */
  *end(): Iterable<Buffer> {
    if (this.#rest.length > 0) yield this.#rest;
    this.#rest = Buffer.alloc(0);
  }

  *#lines(chunk: Buffer): Iterable<Buffer> {
    let rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      yield rest.subarray(0, end);
      rest = rest.subarray(end + 1);
    }
    if (rest.length > MAX_LINE_BYTES) {
      throw new RangeError(`a line has ${rest.length} bytes, more than ${MAX_LINE_BYTES}`);
    }
    this.#rest = Buffer.from(rest);
  }

  #withReturns(chunk: Buffer): Buffer {
    if (!this.#options.crlf || chunk.length === 0) return chunk;
    const pieces: Buffer[] = [];
    let start = 0;
    for (let end = chunk.indexOf(NEWLINE); end >= 0; end = chunk.indexOf(NEWLINE, start)) {
      const hasReturn = end === 0 ? this.#endsInReturn : chunk[end - 1] === RETURN;
      pieces.push(chunk.subarray(start, end), hasReturn ? NL : CRLF);
      start = end + 1;
    }
    this.#endsInReturn = chunk.at(-1) === RETURN;
    return Buffer.concat([...pieces, chunk.subarray(start)]);
  }
}

const NL = Buffer.of(NEWLINE);
const CRLF = Buffer.of(RETURN, NEWLINE);
