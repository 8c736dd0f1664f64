// Theory of operation. splice(2) moves bytes between a pipe and something else; from socket to socket
// it takes two calls and a pipe of ours. Its EAGAIN doesn't say which of the two is not ready. So one
// of them is known to be: a pipe of ours is empty before it is filled, and the caller's pipe is polled
// first. The call is then an operation in the socket's lane, behind what was sent or asked for before.
import { fstatSync } from 'node:fs';
import { native } from '@sockeye/native';
import { EAGAIN, POLLIN, POLLOUT, SOCK_STREAM } from '../constants/index.ts';
import { checkInteger, invalidType, invalidValue } from '../errors/index.ts';
import type { Descriptor, Wait } from './descriptor.ts';
import { tellEnd, tellingWatchers } from './move-watchers.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import { PipeEnd } from './pipe-end.ts';
import { checkSignal, descriptorOf, Socket, type WaitOptions } from './socket.ts';
import { discard, type Pipe, sparePipes } from './spare-pipes.ts';

// More than a pipe holds: it is the limit.
const CHUNK_BYTES = 1024 * 1024;
// What stands for nothing moved where 0 is the end: another process was faster at the pipe.
const NOTHING = -1;
const MAX_FD = 0x7fffffff;

/** What bytes are moved from or to: a stream socket, or the descriptor of a pipe or (to only) a file. */
export type SpliceEnd = Socket<number> | number;

export interface SpliceOptions extends WaitOptions {
  /** Is told of bytes once they have left. */
  readonly onMoved?: ((bytes: number) => void) | undefined;
}

/**
 * Moves everything from one stream socket to another, between one and a pipe, or from one into a file,
 * until the source ends. The bytes stay in the kernel. Neither end is shut down or closed, and a pipe's
 * O_NONBLOCK stays as it is. A file is written from its position on, by the thread pool, and its
 * position moves. Of a target that is slow no more is taken than a pipe holds, 1 MiB.
 *
 * After a failure or an abort up to that much may have been taken and not have arrived.
 *
 * @param source a stream socket that isn't non-blocking (timeout 0), or a pipe's read end
 * @param target such a socket, a pipe's write end, or the descriptor of a file; one of the two is a
 *   socket
 * @returns the bytes that were moved
 * @throws SocketError, whose syscall is `splice`; EPIPE when a pipe has no reader; EINVAL for a
 *   descriptor that is neither, or a file with O_APPEND; EMFILE, ENFILE when there is none left for a
 *   pipe of ours; what write(2) tells of a file; TimeoutError by the socket's timeout, for each wait; the signal's reason
 * Source: splice(2), pipe(7).
 *
 * @example
 * const [client, near] = socketpair();
 * const [far, server] = socketpair();
 * const moved = splice(near, far);
 * await client.sendall(Buffer.from('hello'));
 * client.close();
 * assert.equal(await moved, 5);
 * assert.equal((await server.recv(10)).toString(), 'hello');
 */
export async function splice(
  source: SpliceEnd,
  target: SpliceEnd,
  options: SpliceOptions = {},
): Promise<number> {
  const from = checkEnd('source', source);
  const to = checkEnd('target', target);
  const told = tellingWatchers({ source: from, target: to, by: 'splice' }, checkOnMoved(options));
  const total = await moveAll(from, to, { onMoved: told, signal: checkSignal(options) });
  tellEnd(from);
  return total;
}

async function moveAll(
  from: SpliceEnd,
  to: SpliceEnd,
  { onMoved, signal }: SpliceOptions,
): Promise<number> {
  if (from instanceof Socket) {
    if (to instanceof Socket) return await betweenSockets(from, to, signal, onMoved);
    if (isFile(to)) return await toFile(from, to, signal, onMoved);
    using pipe = new PipeEnd(to, POLLOUT, descriptorOf(from), { owner: from, signal });
    const attempt = (descriptor: Descriptor): number =>
      native.splice(descriptor.fd, to, CHUNK_BYTES);
    return await withPipe(pipe, from, 'read', attempt, { onMoved, signal });
  }
  if (!(to instanceof Socket)) {
    throw invalidValue('target', 'a socket where the source is none', 'a descriptor');
  }
  using pipe = new PipeEnd(from, POLLIN, descriptorOf(to), { owner: to, signal });
  const attempt = (descriptor: Descriptor): number =>
    native.splice(from, descriptor.fd, CHUNK_BYTES);
  return await withPipe(pipe, to, 'write', attempt, { onMoved, signal });
}

export function checkOnMoved({ onMoved }: SpliceOptions): SpliceOptions['onMoved'] {
  if (onMoved !== undefined && typeof onMoved !== 'function') {
    throw invalidType('onMoved', 'a function', onMoved);
  }
  return onMoved;
}

function checkEnd(name: string, end: SpliceEnd): SpliceEnd {
  if (typeof end === 'number') return checkInteger(name, end, 0, MAX_FD);
  if (!(end instanceof Socket)) throw invalidType(name, 'a Socket or a descriptor', end);
  if (end.type !== SOCK_STREAM) {
    throw invalidValue(name, 'a SOCK_STREAM socket', 'a socket of another type');
  }
  if (end.gettimeout() === 0) throw invalidValue(name, 'a socket that may wait', 'timeout 0');
  return end;
}

function isFile(fd: number): boolean {
  try {
    return fstatSync(fd).isFile();
  } catch {
    return false;
  }
}

export function waitOf(socket: Socket<number>, signal: AbortSignal | undefined): Wait {
  return { timeout: socket.gettimeout(), signal, owner: socket };
}

async function betweenSockets(
  from: Socket<number>,
  to: Socket<number>,
  signal: AbortSignal | undefined,
  onMoved: SpliceOptions['onMoved'],
): Promise<number> {
  const source = descriptorOf(from);
  const target = descriptorOf(to);
  for (let total = 0; ; ) {
    const [bytes, pipe] = await source.start(new Fill(source), waitOf(from, signal));
    if (bytes === 0) return total;
    const drain = new Drain(target, pipe, bytes);
    try {
      await target.start(drain, waitOf(to, signal));
    } catch (error) {
      drain.discard();
      throw error;
    }
    total += bytes;
    onMoved?.(bytes);
  }
}

async function toFile(
  from: Socket<number>,
  file: number,
  signal: AbortSignal | undefined,
  onMoved: SpliceOptions['onMoved'],
): Promise<number> {
  const source = descriptorOf(from);
  for (let total = 0; ; ) {
    const [bytes, pipe] = await source.start(new Fill(source), waitOf(from, signal));
    if (bytes === 0) return total;
    const written = await native.spliceToFile(pipe.readEnd, file, bytes);
    if (written < 0) {
      discard(pipe);
      throw source.error('splice', -written);
    }
    sparePipes.give(pipe);
    total += bytes;
    onMoved?.(bytes);
  }
}

/** Takes what a socket has received, as far as a pipe of ours holds it. */
class Fill implements Operation<[bytes: number, pipe: Pipe]> {
  readonly syscall = 'splice';
  readonly direction = 'read';
  #descriptor: Descriptor;

  constructor(descriptor: Descriptor) {
    this.#descriptor = descriptor;
  }

  attempt(): Attempt<[bytes: number, pipe: Pipe]> {
    this.#descriptor.throwKept();
    const pipe = sparePipes.take();
    const bytes = native.splice(this.#descriptor.fd, pipe.writeEnd, CHUNK_BYTES);
    if (bytes <= 0) sparePipes.give(pipe);
    if (bytes === -(EAGAIN as number)) return WOULD_BLOCK;
    if (bytes < 0) throw this.#descriptor.error('splice', -bytes);
    this.#descriptor.reader.charge(bytes);
    return [bytes, pipe];
  }
}

/** Sends what is in a pipe of ours, all of it. */
class Drain implements Operation<void> {
  readonly syscall = 'splice';
  readonly direction = 'write';
  #descriptor: Descriptor;
  #pipe: Pipe | undefined;
  #left: number;

  constructor(descriptor: Descriptor, pipe: Pipe, bytes: number) {
    this.#descriptor = descriptor;
    this.#pipe = pipe;
    this.#left = bytes;
  }

  attempt(): Attempt<void> {
    const pipe = this.#pipe as Pipe;
    while (this.#left > 0) {
      const bytes = native.splice(pipe.readEnd, this.#descriptor.fd, this.#left);
      if (bytes === -(EAGAIN as number)) return WOULD_BLOCK;
      if (bytes < 0) throw this.#descriptor.error('splice', -bytes);
      this.#left -= bytes;
      this.#descriptor.writer.charge(bytes);
    }
    this.#pipe = undefined;
    sparePipes.give(pipe);
    return undefined;
  }

  /** Ends early: what is in the pipe goes with it. */
  discard(): void {
    if (this.#pipe !== undefined) discard(this.#pipe);
    this.#pipe = undefined;
  }
}

async function withPipe(
  pipe: PipeEnd,
  socket: Socket<number>,
  direction: 'read' | 'write',
  move: (descriptor: Descriptor) => number,
  { onMoved, signal }: Pick<SpliceOptions, 'onMoved' | 'signal'>,
): Promise<number> {
  const descriptor = descriptorOf(socket);
  const operation: Operation<number> = {
    syscall: 'splice',
    direction,
    attempt() {
      if (direction === 'read') descriptor.throwKept();
      const bytes = move(descriptor);
      if (bytes === -(EAGAIN as number)) return pipe.isReady ? WOULD_BLOCK : NOTHING;
      if (bytes < 0) throw descriptor.error('splice', -bytes);
      (direction === 'read' ? descriptor.reader : descriptor.writer).charge(bytes);
      return bytes;
    },
  };
  const wait = waitOf(socket, signal);
  for (let total = 0; ; ) {
    await pipe.untilReady();
    const bytes = await descriptor.start(operation, wait);
    if (bytes === 0) return total;
    if (bytes === NOTHING) continue;
    total += bytes;
    onMoved?.(bytes);
  }
}
