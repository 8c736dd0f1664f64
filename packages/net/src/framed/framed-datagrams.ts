import type { Codec } from '../codec/index.ts';
import { SOCK_DGRAM } from '../constants/index.ts';
import { checkInteger, invalidState, invalidType } from '../errors/index.ts';
import type { Socket } from '../socket/index.ts';
import { DatagramMessages } from './datagram-messages.ts';

/** Options of `framedDatagrams`. */
export interface FramedDatagramsOptions {
  /** Has what is sent acknowledged, repeated when lost, and delivered in order. Default false. */
  readonly reliable?: boolean | undefined;
  /** Messages that may wait for the iteration; what comes beyond is dropped. Default 1,024. */
  readonly maxQueued?: number | undefined;
  /** Peers (and streams of theirs) remembered; the longest silent are forgotten. Default 1,024. */
  readonly maxPeers?: number | undefined;
  /** How many numbers back a late datagram is recognised. Default 1,024. */
  readonly sequenceWindow?: number | undefined;
  /** Messages to a peer that may wait for their acknowledgement, 1 to 32. Default 32. */
  readonly window?: number | undefined;
  /** How often a message is repeated before its peer counts as gone. Default 6, which is 123 s. */
  readonly maxRetransmissions?: number | undefined;
  /** Least time until a message is repeated, in milliseconds. Default 1,000 (RFC 6298). */
  readonly minRtoMs?: number | undefined;
  /** Most time until a message is repeated, in milliseconds. Default 60,000. */
  readonly maxRtoMs?: number | undefined;
}

/** The options that are this layer's own, with their defaults. */
export interface DatagramLimits {
  readonly reliable: boolean;
  readonly maxQueued: number;
  readonly maxPeers: number;
}

// Arbitrary: above what anybody means.
const MAX_COUNT = 2 ** 31;

/**
 * Numbered messages over a datagram socket, one a datagram, to and from one peer or many.
 *
 * The receiving side finds out about loss, duplication and reordering, tells in events, counts, and
 * drops duplicates. With `reliable` what is sent is acknowledged by the other side's framedDatagrams
 * (whatever its own `reliable`), repeated until it is (RFC 6298's timers), and delivered once and in
 * order. Reading goes on in the background from the start, since acknowledgements must be read.
 *
 * What it doesn't do: congestion control beyond a fixed window and the doubling timeout, pacing,
 * flow control (who doesn't iterate drops; a reliable sender then repeats), splitting of messages
 * that exceed a datagram (EMSGSIZE), a handshake, notice of the end, encryption, authentication:
 * whoever can forge a source address and sees or guesses the stream's number can forge messages.
 * Losses after a stream's last arrival can't be seen, nor those before the first of one that was under
 * way already.
 *
 * @throws TypeError, RangeError for the options; ERR_INVALID_STATE for another type of socket
 *
 * @example
 * const [left, right] = socketpair(AF_UNIX, SOCK_DGRAM);
 * const sender = framedDatagrams(left, jsonLines(), { reliable: true });
 * const receiver = framedDatagrams(right, jsonLines());
 * await sender.send({ hello: 'world' });
 * for await (const { message } of receiver) {
 *   assert.deepEqual(message, { hello: 'world' });
 *   break;
 * }
 * await sender.close();
 * await receiver.close();
 */
export function framedDatagrams<Message, Sent = Message>(
  socket: Socket<number>,
  codec: Codec<Message, Sent>,
  options: FramedDatagramsOptions = {},
): DatagramMessages<Message, Sent> {
  if (socket.type !== SOCK_DGRAM) {
    throw invalidState(
      `Cannot frame datagrams: the socket's type ${socket.type} is not SOCK_DGRAM`,
    );
  }
  if (socket.gettimeout() !== null) {
    throw invalidState('Cannot frame datagrams: the socket has a timeout');
  }
  if (typeof codec?.encode !== 'function' || typeof codec.decoder !== 'function') {
    throw invalidType('codec', 'an object with encode and decoder', codec);
  }
  const limits: DatagramLimits = {
    reliable: options.reliable ?? false,
    maxQueued: checkInteger('maxQueued', options.maxQueued ?? 1024, 1, MAX_COUNT),
    maxPeers: checkInteger('maxPeers', options.maxPeers ?? 1024, 1, MAX_COUNT),
  };
  return new DatagramMessages(socket, codec, limits, options);
}
