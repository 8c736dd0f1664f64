import type { ByteSearch } from './byte-search.ts';
import { Carry } from './carry.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { FrameTooLargeError, FrameTruncatedError } from './protocol-error.ts';

/** What a {@link DelimitedDecoder} is told about its format. */
export interface DelimitedFormat {
  /** Finds the end mark; taken over by the decoder. */
  readonly search: ByteSearch;
  /** Longest content in bytes, without the end mark. */
  readonly maxFrameBytes: number;
  /** What becomes of bytes behind the last end mark when the stream ends. */
  readonly final: 'keep' | 'reject';
  /** Bytes that, standing right before the end mark, belong to it. */
  readonly optional?: Buffer;
  /** Width of a code unit in bytes. */
  readonly unit?: number;
}

/**
 * Decodes frames that end with a mark.
 *
 * A frame that lies whole in one chunk is handed on as that piece of the chunk. Bytes behind the
 * last mark are carried, at most `maxFrameBytes` and a mark. Whether a frame is too large depends
 * only on bytes that can't belong to a mark, so that the verdict is the same wherever chunks end.
 */
export abstract class DelimitedDecoder<Message> extends FrameDecoder<Message> {
  readonly #carry = new Carry();
  readonly #format: DelimitedFormat;
  /** The most that an acceptable frame can occupy. */
  readonly #mostBytes: number;

  constructor(format: DelimitedFormat) {
    super();
    this.#format = format;
    const { search, optional, maxFrameBytes } = format;
    this.#mostBytes = maxFrameBytes + search.pattern.length + (optional?.length ?? 0);
  }

  get pendingBytes(): number {
    return this.#carry.length;
  }

  /** The message in bytes[from, to). `owned`: the bytes belong to nobody else. */
  protected abstract message(bytes: Buffer, from: number, to: number, owned: boolean): Message;

  protected override decode(chunk: Buffer, messages: Message[]): void {
    const { search } = this.#format;
    let from = 0;
    for (let to = search.next(chunk, 0); to >= 0; to = search.next(chunk, from)) {
      messages.push(this.#whole(chunk, from, to));
      from = to;
    }
    if (from < chunk.length) this.#keep(chunk, from, chunk.length);
  }

  protected override finish(messages: Message[]): void {
    if (this.#carry.length === 0) return;
    if (this.#format.final === 'reject') {
      const state = `the stream ended ${this.#carry.length} bytes into a frame, before its end mark`;
      throw new FrameTruncatedError('decode', state);
    }
    const rest = this.#carry.take();
    messages.push(this.#content(rest, 0, rest.length, true));
  }

  #whole(chunk: Buffer, from: number, to: number): Message {
    const markBytes = this.#format.search.pattern.length;
    if (this.#carry.length === 0) return this.#content(chunk, from, to - markBytes, false);
    this.#append(chunk, from, to);
    const frame = this.#carry.take();
    return this.#content(frame, 0, frame.length - markBytes, true);
  }

  #keep(chunk: Buffer, from: number, to: number): void {
    this.#append(chunk, from, to);
    const { search, unit = 1 } = this.#format;
    const unmarked = this.#carry.length - search.matched;
    this.#contentEnd(this.#carry.bytes, 0, unmarked - (unmarked % unit));
  }

  #append(chunk: Buffer, from: number, to: number): void {
    if (this.#carry.length + to - from > this.#mostBytes) throw this.#tooLarge();
    this.#carry.append(chunk, { from, to, limit: this.#mostBytes });
  }

  #content(bytes: Buffer, from: number, to: number, owned: boolean): Message {
    return this.message(bytes, from, this.#contentEnd(bytes, from, to), owned);
  }

  #contentEnd(bytes: Buffer, from: number, to: number): number {
    const { optional, maxFrameBytes } = this.#format;
    const end =
      optional !== undefined && endsWith(bytes, from, to, optional) ? to - optional.length : to;
    if (end - from > maxFrameBytes) throw this.#tooLarge();
    return end;
  }

  #tooLarge(): FrameTooLargeError {
    const limit = { name: 'maxFrameBytes', bytes: this.#format.maxFrameBytes };
    return new FrameTooLargeError('decode', limit);
  }
}

/** Whether bytes[from, to) ends with `tail`. */
function endsWith(bytes: Buffer, from: number, to: number, tail: Buffer): boolean {
  const start = to - tail.length;
  if (start < from) return false;
  for (let at = 0; at < tail.length; at++) if (bytes[start + at] !== tail[at]) return false;
  return true;
}
