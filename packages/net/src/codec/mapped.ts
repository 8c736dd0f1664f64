import { asMalformed } from './as-malformed.ts';
import type { Codec, Decoder } from './codec.ts';
import { FrameDecoder } from './frame-decoder.ts';

/** Both directions of {@link mapped}. */
export interface Mapping<Inner, Message, InnerSent = Inner, Sent = Message> {
  /** What to send for this message. */
  encode(message: Sent): InnerSent;
  /** The message in what came; `undefined` delivers none. Throw for one that is none. */
  decode(inner: Inner): Message | undefined;
}

/**
 * The messages of a codec turned into other messages: the shortest way to a codec of one's own,
 * framing from an existing one, meaning from two functions.
 *
 * What `decode` throws becomes a FrameMalformedError with that `cause`, after the messages before
 * it. What `encode` throws is passed on.
 *
 * @example
 * const points = mapped(fixedSize({ size: 4 }), {
 *   encode: ({ x, y }: { x: number; y: number }) => Buffer.from(Int16Array.of(x, y).buffer),
 *   decode: (bytes) => ({ x: bytes.readInt16LE(0), y: bytes.readInt16LE(2) }),
 * });
 * const [point] = points.decoder().push(Buffer.from([1, 0, 255, 255]));
 * assert.deepEqual(point, { x: 1, y: -1 });
 */
export function mapped<Inner, Message, InnerSent = Inner, Sent = Message>(
  codec: Codec<Inner, InnerSent>,
  mapping: Mapping<Inner, Message, InnerSent, Sent>,
): Codec<Message, Sent> {
  return {
    encode: (message) => codec.encode(mapping.encode(message)),
    decoder: () => new MappedDecoder(codec.decoder(), (inner) => mapping.decode(inner)),
  };
}

class MappedDecoder<Inner, Message> extends FrameDecoder<Message> {
  readonly #inner: Decoder<Inner>;
  readonly #map: (inner: Inner) => Message | undefined;

  constructor(inner: Decoder<Inner>, map: (inner: Inner) => Message | undefined) {
    super();
    this.#inner = inner;
    this.#map = map;
  }

  get pendingBytes(): number {
    return this.#inner.pendingBytes ?? 0;
  }

  protected override decode(chunk: Buffer, messages: Message[]): void {
    this.#append(this.#inner.push(chunk), messages);
  }

  protected override finish(messages: Message[]): void {
    this.#append(this.#inner.end() ?? [], messages);
  }

  #append(inners: Iterable<Inner>, messages: Message[]): void {
    for (const inner of inners) {
      const message = asMalformed('a message is none of this format', () => this.#map(inner));
      if (message !== undefined) messages.push(message);
    }
  }
}
