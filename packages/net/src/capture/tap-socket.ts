import { fstatSync, readSync, statSync } from 'node:fs';
import type { Address } from '../address/index.ts';
import {
  MSG_ERRQUEUE,
  MSG_PEEK,
  SHUT_RD,
  SOCK_DGRAM,
  SOL_SOCKET,
  SO_TYPE,
  TCP_CLOSE,
} from '../constants/index.ts';
import { invalidState } from '../errors/index.ts';
import { type MoveWatcher, moveWatchers } from '../socket/move-watchers.ts';
import { type FileSource, withFileSync } from '../socket/send-file.ts';
import { Socket } from '../socket/index.ts';
import type { Descriptor } from '../socket/descriptor.ts';
import { descriptorOf } from '../socket/socket.ts';
import { aroundClose } from './around-close.ts';
import type { RecordedConversation, RecordedPath, Recorder } from './recorder.ts';
import { tcpInfoReader } from './tcp-info-reader.ts';

/** What a tap needs of a server's connection. */
export interface TappedConnection {
  readonly socket: Socket<number>;
  readonly remote: Address | null;
  readonly local: Address | null;
  recv(size?: number): Promise<Buffer>;
  sendall(data: Uint8Array): Promise<void>;
}

/** Told of what a call has moved. `from` and `to` are undefined for the socket's peer. */
interface Listener {
  sent(bytes: Uint8Array, to?: Address | null): void;
  received(bytes: Uint8Array, from?: Address | null): void;
  receivingEnded(): void;
  sendingEnded(): void;
  failed(error: unknown): void;
  /** Bytes were sent that nobody can tell any more. */
  missed(bytes: number, why: string): void;
}

/** A method of a socket: what its arguments and its result say was moved. */
// oxlint-disable-next-line typescript/no-explicit-any -- arguments and results of a dozen methods
type See = (listener: Listener, args: any[], result: any) => void;

// The peer of a datagram whose socket was closed as it was on its way to the program.
const NOWHERE = { host: '0.0.0.0', port: 0 };

const NOT_TAKEN = (MSG_PEEK as number) | (MSG_ERRQUEUE as number);

/** Unless the receive leaves the bytes in the queue, or they are no bytes of the peer's. */
function taking(flagsAt: number, see: See): See {
  return (listener, args, result) => {
    if ((Number(args[flagsAt] ?? 0) & NOT_TAKEN) === 0) see(listener, args, result);
  };
}

const METHODS: Readonly<Record<string, See>> = {
  recv: taking(1, (listener, _, data) => listener.received(data)),
  recvInto: taking(2, (listener, [buffer], count) => listener.received(buffer.subarray(0, count))),
  recvfrom: taking(1, (listener, _, [data, from]) => listener.received(data, from)),
  recvfromInto: taking(2, (listener, [buffer], [count, from]) =>
    listener.received(buffer.subarray(0, count), from),
  ),
  recvmsg: taking(2, (listener, _, { data, address }) => listener.received(data, address)),
  recvmsgInto: taking(2, (listener, [buffers], { bytes, address }) =>
    listener.received(joined(buffers, bytes), address),
  ),
  recvmmsg: taking(2, receivedMany),
  recvmmsgInto: taking(2, receivedMany),
  send: (listener, [data], count) => listener.sent(data.subarray(0, count)),
  sendall: (listener, [data]) => listener.sent(data),
  sendto: (listener, [data, to], count) => listener.sent(data.subarray(0, count), to),
  sendmsg: (listener, [buffers, , , to], count) => listener.sent(joined(buffers, count), to),
  sendmmsg(listener, [messages], count) {
    for (const { data, address } of messages.slice(0, count)) listener.sent(data, address);
  },
  sendfile: (listener, [file, offset = 0], count) => sentFile(listener, file, offset, count),
  shutdown(listener, [how]) {
    if (how !== SHUT_RD) listener.sendingEnded();
  },
};

function receivedMany(
  listener: Listener,
  _: unknown[],
  messages: readonly { readonly data: Buffer; readonly address: Address | null }[],
): void {
  for (const { data, address } of messages) listener.received(data, address);
}

function joined(buffers: readonly Uint8Array[], bytes: number): Uint8Array {
  return Buffer.concat(buffers).subarray(0, bytes);
}

// How much of a file is read at once; arbitrary.
const FILE_BYTES = 1024 * 1024;

/** The kernel took them from the file; there they are still, unless it was a pipe or has changed. */
function sentFile(listener: Listener, file: FileSource, offset: number, count: number): void {
  let at = 0;
  let why = 'sent by sendfile from what cannot be read twice';
  try {
    if (isFile(file)) at = readAgain(listener, file, offset, count);
  } catch (error) {
    why = `sent by sendfile from a file that could not be read again (${String(error)})`;
  }
  if (at < count) listener.missed(count - at, why);
}

/** Opening a named pipe would wait for who writes to it. */
function isFile(file: FileSource): boolean {
  if (typeof file === 'string' || file instanceof URL) return statSync(file).isFile();
  return fstatSync(typeof file === 'number' ? file : file.fd).isFile();
}

/** How many it has told of. */
function readAgain(listener: Listener, file: FileSource, offset: number, count: number): number {
  return withFileSync(file, (fd) => {
    for (let at = 0; ; ) {
      const buffer = Buffer.allocUnsafe(Math.min(count - at, FILE_BYTES));
      const bytes = readSync(fd, buffer, 0, buffer.length, offset + at);
      if (bytes > 0) listener.sent(buffer.subarray(0, bytes));
      at += bytes;
      if (bytes === 0 || at === count) return at;
    }
  });
}

/**
 * `tap` for a socket, or for a connection that stands on one: all methods that move bytes are watched,
 * iteration too.
 *
 * @returns a function that ends the recording
 */
export function tapSocket(
  target: Socket<number> | TappedConnection,
  recorder: Recorder,
  given: Partial<RecordedPath>,
): () => void {
  const socket = target instanceof Socket ? target : target.socket;
  const isDatagram = socket.getsockopt(SOL_SOCKET, SO_TYPE) === SOCK_DGRAM;
  const listener = isDatagram
    ? new DatagramTap(socket, recorder, given)
    : new StreamTap(socket, recorder, pathOf(endsOf(target), given));
  const undo = watchMethods(target as unknown as Watched, listener);
  return () => {
    undo();
    listener.stop();
  };
}

function endsOf(target: Socket<number> | TappedConnection) {
  if (!(target instanceof Socket)) return target;
  return { local: target.getsockname(), remote: target.getpeername() };
}

type Method = (...args: unknown[]) => unknown;
type Watched = Record<string | symbol, Method | undefined>;

/** Puts a method of its own in front of each that moves bytes. */
function watchMethods(target: Watched, listener: Listener): () => void {
  const undo: (() => void)[] = [];
  const put = (name: string | symbol, make: (original: Method) => Method): void => {
    const original = target[name];
    if (typeof original !== 'function') return;
    const isOwn = Object.hasOwn(target, name);
    undo.push(() => {
      if (isOwn) target[name] = original;
      else delete target[name];
    });
    target[name] = make(original.bind(target));
  };
  for (const [name, see] of Object.entries(METHODS)) {
    put(name, (original) => watched(original, listener, see));
    put(`${name}Sync`, (original) => watched(original, listener, see));
  }
  put(Symbol.asyncIterator, (original) => () => watchedIterator(original(), listener));
  return () => {
    for (const restore of undo) restore();
  };
}

function watched(original: Method, listener: Listener, see: See): Method {
  return (...args) => {
    const failed = (error: unknown): never => {
      // What a sendall that ended early has sent.
      const { bytesSent = 0 } = (error ?? {}) as { bytesSent?: number };
      if (bytesSent > 0) see(listener, [(args[0] as Uint8Array).subarray(0, bytesSent)], bytesSent);
      listener.failed(error);
      throw error;
    };
    const seen = (result: unknown): unknown => {
      see(listener, args, result);
      return result;
    };
    let result: unknown;
    try {
      result = original(...args);
    } catch (error) {
      return failed(error);
    }
    if (result instanceof Promise) return result.then(seen, failed);
    return seen(result);
  };
}

/** Chunks of a stream, or messages with their senders. */
function watchedIterator(iterator: unknown, listener: Listener): AsyncIterableIterator<unknown> {
  const inner = iterator as AsyncIterator<Buffer | [Buffer, Address | null]>;
  return {
    async next() {
      let step;
      try {
        step = await inner.next();
      } catch (error) {
        listener.failed(error);
        throw error;
      }
      if (step.done === true) listener.receivingEnded();
      else if (Array.isArray(step.value)) listener.received(...step.value);
      else listener.received(step.value);
      return step;
    },
    return: async () => (await inner.return?.()) ?? { done: true, value: undefined },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** A stream's bytes, in a conversation that ends with the socket. */
class StreamTap implements Listener, MoveWatcher {
  readonly #socket: Socket<number>;
  readonly #conversation: RecordedConversation;
  readonly #descriptor: Descriptor;
  readonly #stopWatch: () => void;
  #first: 'local' | 'remote' | undefined;
  #isReset = false;
  #hasSendingEnded = false;

  constructor(socket: Socket<number>, recorder: Recorder, path: RecordedPath) {
    const descriptor = descriptorOf(socket);
    this.#socket = socket;
    this.#descriptor = descriptor;
    moveWatchers.set(socket, this);
    const info = path.info ?? tcpInfoReader(socket);
    this.#conversation = recorder.conversation({ ...path, info });
    this.#stopWatch = aroundClose(descriptor, {
      before: () => {
        // Without a FIN of ours only a reset, or silence, closes a connection.
        if (info()?.state === TCP_CLOSE && !this.#hasSendingEnded) this.#reset('remote');
        else if (descriptor.hasBytes()) this.#reset('local');
      },
      // Behind the sends that have left as it closed, which are told of in microtasks.
      after: () => queueMicrotask(() => this.#end()),
    });
  }

  sent(bytes: Uint8Array): void {
    this.#conversation.sent(bytes);
  }

  received(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#conversation.received(bytes);
    else this.receivingEnded();
  }

  receivingEnded(): void {
    // Closing ends an iteration, too.
    if (!this.#descriptor.closed) this.#ended('remote');
  }

  sendingEnded(): void {
    this.#hasSendingEnded = true;
    this.#ended('local');
  }

  failed(error: unknown): void {
    const { code } = (error ?? {}) as { code?: unknown };
    if (code === 'ECONNRESET' || code === 'EPIPE') this.#reset('remote');
  }

  missed(bytes: number, why: string): void {
    this.#conversation.missed('local', bytes, why);
  }

  moved(direction: 'sent' | 'received', bytes: number, by: string): void {
    const from = direction === 'sent' ? 'local' : 'remote';
    this.#conversation.missed(from, bytes, `moved by ${by}() past the program`);
  }

  stop(): void {
    moveWatchers.delete(this.#socket);
    this.#stopWatch();
    this.#conversation.closed(this.#first ?? 'local');
  }

  #ended(end: 'local' | 'remote'): void {
    this.#first ??= end;
    this.#conversation.ended(end);
  }

  #reset(end: 'local' | 'remote'): void {
    if (this.#isReset) return;
    this.#isReset = true;
    this.#first = end;
  }

  #end(): void {
    this.#conversation.closed(this.#first ?? 'local', this.#isReset ? 'reset' : 'fin');
  }
}

/** Datagrams, each with its own peer. */
class DatagramTap implements Listener {
  readonly #socket: Socket<number>;
  readonly #recorder: Recorder;
  readonly #given: Partial<RecordedPath>;
  #bound: RecordedPath['local'] | undefined;
  #peer: RecordedPath['remote'] | undefined;

  constructor(socket: Socket<number>, recorder: Recorder, given: Partial<RecordedPath>) {
    const isInet = inetEnd(socket.getsockname()) !== undefined;
    if (!isInet && (given.local === undefined || given.remote === undefined)) throw noAddresses();
    this.#socket = socket;
    this.#recorder = recorder;
    this.#given = given;
  }

  sent(bytes: Uint8Array, to?: Address | null): void {
    this.#with(to).sent(bytes);
  }

  received(bytes: Uint8Array, from?: Address | null): void {
    this.#with(from).received(bytes);
  }

  receivingEnded(): void {}

  sendingEnded(): void {}

  failed(): void {}

  missed(): void {}

  stop(): void {}

  #with(peer: Address | null | undefined): RecordedConversation {
    const remote = inetEnd(peer ?? null) ?? this.#given.remote ?? this.#connected();
    return this.#recorder.conversation({
      ...this.#given,
      transport: 'udp',
      local: this.#local(),
      remote,
    });
  }

  /** What it is bound to, which a first send may do. */
  #local(): RecordedPath['local'] {
    if (this.#given.local !== undefined) return this.#given.local;
    if (!this.#socket.closed) this.#bound = inetEnd(this.#socket.getsockname());
    return this.#bound ?? NOWHERE;
  }

  #connected(): RecordedPath['remote'] {
    if (!this.#socket.closed) this.#peer = inetEnd(this.#socket.getpeername());
    return this.#peer ?? NOWHERE;
  }
}

/** Between whom, as far as the caller hasn't said. */
function pathOf(
  { local, remote }: Pick<TappedConnection, 'local' | 'remote'>,
  given: Partial<RecordedPath>,
): RecordedPath {
  const ends = { local: given.local ?? inetEnd(local), remote: given.remote ?? inetEnd(remote) };
  if (ends.local === undefined || ends.remote === undefined) throw noAddresses();
  return { ...given, transport: 'tcp', local: ends.local, remote: ends.remote };
}

function noAddresses(): Error {
  return invalidState(
    'Cannot tap socket: it has no IP addresses; give those it is to be recorded with as local and remote',
  );
}

function inetEnd(address: Address | null): RecordedPath['local'] | undefined {
  if (address === null || !('host' in address)) return undefined;
  return { host: address.host, port: address.port };
}
