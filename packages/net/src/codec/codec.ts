/**
 * How messages of one kind turn into bytes and back, without any I/O.
 *
 * A codec holds no state of a connection; each connection takes a decoder of its own.
 * `Sent` differs from `Message` where more can be sent than comes back: byte codecs send any
 * `Uint8Array` and deliver `Buffer`.
 *
 * To write one's own, start from what exists: {@link mapped} turns the messages of a codec into
 * other messages, {@link headed} frames anything whose header tells its length, and a class that
 * extends {@link FrameDecoder} can do the rest. Nothing stops an object of these two methods.
 */
export interface Codec<Message, Sent = Message> {
  /**
   * The bytes of one message, in one piece or in several that belong behind each other.
   *
   * A large message is not copied: a piece may be a view of it, so leave it unchanged until the
   * bytes are sent.
   * @throws FrameTooLargeError when the message exceeds the codec's limit
   * @throws FrameMalformedError when the decoder could not give back this very message
   */
  encode(message: Sent): Uint8Array | Uint8Array[];
  /**
   * Writes what `encode` would give to target[offset, …), which saves a buffer per message. Optional.
   * @returns the bytes written, at least 1; 0 when they don't fit: then `encode` is called
   * @throws as `encode`
   */
  encodeInto?(message: Sent, target: Buffer, offset: number): number;
  /** A new decoder, for one stream from its first byte. */
  decoder(): Decoder<Message>;
}

/**
 * Turns one byte stream back into its messages, however the stream is cut into chunks.
 *
 * After a thrown error the decoder is dead: every later call throws the same error.
 */
export interface Decoder<Message> {
  /**
   * Bytes kept of a frame that isn't whole yet; 0 between two frames. A deadline for whole frames
   * needs it. A decoder without this property is taken to be always between two frames.
   */
  readonly pendingBytes?: number;
  /**
   * Takes the next bytes and gives the messages that became whole, oldest first.
   *
   * The chunk is read to its end at once; nothing of it is kept but a copy of an unfinished frame.
   * Messages may be views of the chunk: use or copy them before its memory is written again.
   * A view costs 106 bytes, so a chunk of tiny frames grows for as long as its messages are held.
   * @throws ProtocolError when the bytes break the format. Messages before that place are
   * delivered first: then it is the iteration that throws, after the last of them.
   */
  push(chunk: Uint8Array): Iterable<Message>;
  /**
   * Tells that the stream has ended; gives a last message where the format needs no end mark.
   * @throws FrameTruncatedError when the stream ended inside a frame
   */
  end(): Iterable<Message> | void;
}
