import type { Codec } from '../codec/index.ts';
import { SHUT_WR, SOCK_STREAM } from '../constants/index.ts';
import { invalidState, invalidType } from '../errors/index.ts';
import { descriptorOf, Socket } from '../socket/socket.ts';
import type { ByteChannel } from './byte-channel.ts';
import { type ByteConnection, ConnectionChannel } from './connection-channel.ts';
import { DescriptorChannel, type DescriptorOwner } from './descriptor-channel.ts';
import { type FramedLimits, type FramedOptions, framedLimits } from './framed-options.ts';
import { MessageStream } from './message-stream.ts';
import { Outgoing } from './outgoing.ts';
import { PLAIN_DESCRIPTOR, type PlainStream } from './plain-descriptor.ts';
import { IdentifiedRequests, OrderedRequests } from './request-table.ts';

/** A connected stream socket, a server's Connection, or what has their recv, sendall and close. */
export type FramedTarget = Socket<number> | ByteConnection;

/**
 * Messages instead of bytes, on a connection or a stream socket.
 *
 * Frames that are sent in one turn of the event loop leave in one system call, and a receive may
 * bring many messages at once. From here on the connection's bytes belong to the messages: reading
 * it in another way loses them. On TLS it does the same above the encryption.
 *
 * @param codec turns messages into bytes and back (`@sockeye/net/codec`)
 * @throws TypeError, RangeError for the options; ERR_INVALID_STATE for a socket that is no stream or
 *   never waits (timeout 0)
 *
 * @example
 * const [left, right] = socketpair();
 * const client = framed(left, lines());
 * const server = framed(right, lines());
 * await client.send('hello');
 * for await (const line of server) {
 *   assert.equal(line, 'hello');
 *   break;
 * }
 * await client.close();
 * await server.close();
 */
export function framed<Message, Sent = Message>(
  target: FramedTarget,
  codec: Codec<Message, Sent>,
  options: FramedOptions<Message, Sent> = {},
): MessageStream<Message, Sent> {
  if (typeof codec?.encode !== 'function' || typeof codec.decoder !== 'function') {
    throw invalidType('codec', 'an object with encode and decoder', codec);
  }
  const limits = framedLimits(options, highWaterMarkOf(target));
  const { idOf } = options;
  if (idOf !== undefined && typeof idOf !== 'function') {
    throw invalidType('idOf', 'a function', idOf);
  }
  const requests =
    idOf === undefined
      ? new OrderedRequests<Message, Sent>()
      : new IdentifiedRequests<Message, Sent>(idOf);
  return new MessageStream(channelOf(target, limits), codec, requests, limits.frameTimeoutMs);
}

function channelOf(target: FramedTarget, { highWaterMark }: FramedLimits): ByteChannel {
  const outgoing = new Outgoing(highWaterMark);
  if (isWatched(target)) return new ConnectionChannel(callsOf(target), outgoing);
  if (target instanceof Socket) {
    return new DescriptorChannel(descriptorOf(target), ownerOf(target), outgoing);
  }
  if (isPlain(target)) {
    return new DescriptorChannel(target[PLAIN_DESCRIPTOR], target, outgoing);
  }
  if (typeof target?.recv !== 'function' || typeof target.sendall !== 'function') {
    throw invalidType('target', 'a Socket or a Connection', target);
  }
  return new ConnectionChannel(target, outgoing);
}

function highWaterMarkOf(target: FramedTarget): number | undefined {
  return target instanceof Socket ? undefined : target?.highWaterMark;
}

/** Whether somebody looks on (`tap`), who has put methods of his own in front: they must be called. */
function isWatched(target: object): boolean {
  return (
    typeof target === 'object' &&
    target !== null &&
    Object.hasOwn(target, 'recv') &&
    (target instanceof Socket || isPlain(target))
  );
}

function callsOf(target: FramedTarget): ByteConnection {
  if (!(target instanceof Socket)) return target;
  ownerOf(target);
  return {
    recv: (size) => target.recv(size),
    sendall: (data) => target.sendall(data),
    close: () => target.close(),
    shutdown: () => Promise.resolve().then(() => target.shutdown(SHUT_WR)),
  };
}

function isPlain(target: object): target is PlainStream {
  return typeof target === 'object' && target !== null && PLAIN_DESCRIPTOR in target;
}

function ownerOf(socket: Socket<number>): DescriptorOwner {
  if (socket.type !== SOCK_STREAM) {
    throw invalidState(
      `Cannot frame socket: its type ${socket.type} is not SOCK_STREAM; framedDatagrams is for datagrams`,
    );
  }
  if (socket.gettimeout() === 0) {
    throw invalidState('Cannot frame socket: its timeout is 0, so it never waits');
  }
  return {
    proto: socket.proto,
    wait: () => ({ timeout: socket.gettimeout(), owner: socket }),
    close: () => socket.close(),
    abort: (reason) => descriptorOf(socket).close(reason),
  };
}
