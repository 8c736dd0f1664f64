import assert from 'node:assert/strict';
import type { Codec, Decoder } from './codec.ts';
import { ProtocolError } from './protocol-error.ts';

/** What a decoder made of a stream: the messages, then the error or the end. */
export interface Outcome {
  readonly messages: readonly unknown[];
  /** `code: message` of the error that ended it. */
  readonly error?: string;
}

/** An encoded message in one piece. */
export function joined(frame: Uint8Array | Uint8Array[]): Buffer {
  return Array.isArray(frame) ? Buffer.concat(frame) : Buffer.from(frame);
}

/** The stream of all these messages. */
export function encodeAll<Message, Sent>(codec: Codec<Message, Sent>, messages: Sent[]): Buffer {
  return Buffer.concat(messages.map((message) => joined(codec.encode(message))));
}

/**
 * Pushes the stream cut at these places, and end().
 * Each chunk lies in the same memory, which is overwritten as soon as its messages are copied, as a
 * receive buffer's is.
 */
export function decodeCut(
  decoder: Decoder<unknown>,
  stream: Buffer,
  cuts: Iterable<number>,
): Outcome {
  const messages: unknown[] = [];
  const memory = Buffer.alloc(stream.length);
  let from = 0;
  try {
    for (const to of [...cuts, stream.length]) {
      const chunk = memory.subarray(0, to - from);
      stream.copy(chunk, 0, from, to);
      for (const message of decoder.push(chunk)) messages.push(kept(message));
      chunk.fill(0xee);
      from = to;
    }
    for (const message of decoder.end() ?? []) messages.push(kept(message));
    return { messages };
  } catch (error) {
    return { messages, error: protocolError(decoder, error) };
  }
}

function kept(message: unknown): unknown {
  return Buffer.isBuffer(message) ? message.toString('latin1') : message;
}

function protocolError(decoder: Decoder<unknown>, error: unknown): string {
  if (!(error instanceof ProtocolError)) throw error;
  const same = (again: unknown) => again === error;
  assert.throws(() => decoder.push(Buffer.from('x')), same);
  assert.throws(() => decoder.end(), same);
  return `${error.code}: ${error.message}`;
}

/** Every byte a chunk of its own. */
export function everyByte(stream: Buffer): number[] {
  return Array.from({ length: Math.max(0, stream.length - 1) }, (_, index) => index + 1);
}

/** The stream whole, byte by byte, cut once at every place, and with empty chunks between. */
export function checkCuts(codec: Codec<unknown>, stream: Buffer, expected: Outcome): void {
  assert.deepEqual(decodeCut(codec.decoder(), stream, []), expected, 'whole');
  const bytes = everyByte(stream);
  assert.deepEqual(decodeCut(codec.decoder(), stream, bytes), expected, 'byte by byte');
  const twice = bytes.flatMap((at) => [at, at]);
  assert.deepEqual(decodeCut(codec.decoder(), stream, twice), expected, 'with empty chunks');
  for (const at of bytes) {
    assert.deepEqual(decodeCut(codec.decoder(), stream, [at]), expected, `cut at ${at}`);
  }
}

/** Messages in the form in which an {@link Outcome} holds them. */
export function asOutcome(messages: readonly unknown[]): Outcome {
  return {
    messages: messages.map((message) =>
      message instanceof Uint8Array ? Buffer.from(message).toString('latin1') : message,
    ),
  };
}

/** Code and message of the error that `run` throws, if it's a ProtocolError. */
export function failure(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof ProtocolError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'nothing thrown';
}
