// Theory of operation. Bytes from one stream socket to another are copied through a buffer of this
// thread's, in one crossing: receive and send in turn, until one of the two would wait. The call is an
// operation in the source's lane. What the target didn't take is one in the target's lane, behind what
// was sent before; only then a buffer stays with the connection.
import { native } from '@sockeye/native';
import { EAGAIN, SOCK_SEQPACKET, SOCK_STREAM } from '../constants/index.ts';
import { invalidType, invalidValue } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import { tellEnd, tellingWatchers } from './move-watchers.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import { checkSignal, descriptorOf, Socket } from './socket.ts';
import { checkOnMoved, type SpliceOptions, waitOf } from './splice.ts';

// 512 MiB from TCP to TCP over loopback, forwarded by the command, medians of three in ms (a loop in C
// with buffers of 256 KiB: 225). A step ends after so many bytes, so that others have their turn.
//   buffer     step 256 KiB   step 1 MiB
//   64 KiB     371            350
//   128 KiB    320            292
//   256 KiB    277            247
const BUFFER_BYTES = 256 * 1024;
const STEP_BYTES = 1024 * 1024;
// Arbitrary: as many as are likely to be in use in one turn.
const MAX_SPARE = 4;
const END_OF_STREAM = -1;

/** Bytes received, bytes sent, what ended each, and where the rest begins: calls-transfer.cc. */
type Outcome = [received: number, sent: number, ended: number, refused: number, at: number];

const spare: Buffer[] = [];
const outcome = new Int32Array(5);

/** What one crossing moved, and what is left of it in the buffer. */
interface Step {
  readonly received: number;
  readonly hasEnded: boolean;
  readonly rest: Uint8Array | undefined;
  readonly buffer: Buffer;
}

/**
 * Moves everything from one stream socket to another, or each message of a SOCK_SEQPACKET socket, until
 * the source ends; neither is shut down or closed. Of a target that is slow no more is taken than 256 KiB, and an idle pair holds no memory.
 *
 * `splice` does the same without a copy into the process: it takes less CPU here, and more from who
 * receives. On loopback this one is the faster (docs/decisions/0006).
 *
 * After a failure or an abort up to 256 KiB may have been taken and not have arrived.
 *
 * @param source a stream or SOCK_SEQPACKET socket that isn't non-blocking (timeout 0). A message of more
 *   than 256 KiB is cut; an empty one is the end, as recv(2) can't tell them apart
 * @param target another of the same type
 * @returns the bytes that were moved
 * @throws SocketError, whose syscall is `recv` or `send`; TimeoutError by the socket's timeout, for each
 *   wait; the signal's reason
 * Source: recv(2), send(2).
 *
 * @example
 * const [client, near] = socketpair();
 * const [far, server] = socketpair();
 * const moved = relay(near, far);
 * await client.sendall(Buffer.from('hello'));
 * client.close();
 * assert.equal(await moved, 5);
 * assert.equal((await server.recv(10)).toString(), 'hello');
 */
export async function relay(
  source: Socket<number>,
  target: Socket<number>,
  options: SpliceOptions = {},
): Promise<number> {
  checkRelayed('source', source);
  checkRelayed('target', target);
  if (source.type !== target.type) {
    throw invalidValue('target', 'a socket of the same type', 'a socket of another type');
  }
  const onMoved = tellingWatchers({ source, target, by: 'relay' }, checkOnMoved(options));
  const signal = checkSignal(options);
  const from = descriptorOf(source);
  const to = descriptorOf(target);
  const operation = new ReceiveAndSend(from, to);
  for (let total = 0; ; ) {
    const { received, hasEnded, rest, buffer } = await from.start(
      operation,
      waitOf(source, signal),
    );
    if (rest !== undefined) {
      await to.start(new SendRest(to, rest), waitOf(target, signal));
      giveBack(buffer);
    }
    total += received;
    if (received > 0) onMoved(received);
    if (hasEnded) {
      tellEnd(source);
      return total;
    }
  }
}

function checkRelayed(name: string, socket: Socket<number>): void {
  if (!(socket instanceof Socket)) throw invalidType(name, 'a Socket', socket);
  if (socket.type !== SOCK_STREAM && socket.type !== SOCK_SEQPACKET) {
    throw invalidValue(name, 'a SOCK_STREAM or SOCK_SEQPACKET socket', 'a socket of another type');
  }
  if (socket.gettimeout() === 0) throw invalidValue(name, 'a socket that may wait', 'timeout 0');
}

function giveBack(buffer: Buffer): void {
  if (spare.length < MAX_SPARE) spare.push(buffer);
}

/** Receives from one and sends to the other, as far as neither has to be waited for. */
class ReceiveAndSend implements Operation<Step> {
  readonly syscall = 'recv';
  readonly direction = 'read';
  #source: Descriptor;
  #target: Descriptor;

  constructor(source: Descriptor, target: Descriptor) {
    this.#source = source;
    this.#target = target;
  }

  attempt(): Attempt<Step> {
    this.#source.throwKept();
    const { writer } = this.#target;
    // Behind others' sends, or where the kernel has said EAGAIN, it waits for its turn in the lane.
    const to = writer.head === undefined && writer.ready ? this.#target.fd : -1;
    const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
    native.relay(this.#source.fd, to, buffer, STEP_BYTES, outcome);
    const [received, sent, ended, refused, at] = outcome as unknown as Outcome;
    this.#source.reader.charge(received);
    writer.charge(sent);
    const isWaiting = refused === 0 || refused === (EAGAIN as number);
    if (sent === received || !isWaiting) giveBack(buffer);
    if (!isWaiting) throw this.#target.error('send', refused);
    if (to >= 0 && refused !== 0) writer.ready = false;
    this.#noteEnd(ended, received);
    if (received === 0 && ended === (EAGAIN as number)) return WOULD_BLOCK;
    const rest = buffer.subarray(at, at + received - sent);
    return {
      received,
      hasEnded: ended === END_OF_STREAM,
      rest: rest.length === 0 ? undefined : rest,
      buffer,
    };
  }

  #noteEnd(ended: number, received: number): void {
    const source = this.#source;
    if (ended === (EAGAIN as number)) source.reader.ready = false;
    else if (ended > 0) {
      const error = source.error('recv', ended);
      if (received === 0) throw error;
      source.keepError(error);
    }
  }
}

/** Sends what the target had no room for. */
class SendRest implements Operation<void> {
  readonly syscall = 'send';
  readonly direction = 'write';
  #target: Descriptor;
  #rest: Uint8Array;

  constructor(target: Descriptor, rest: Uint8Array) {
    this.#target = target;
    this.#rest = rest;
  }

  attempt(): Attempt<void> {
    while (this.#rest.length > 0) {
      const bytes = native.send(this.#target.fd, this.#rest, 0, this.#rest.length, 0);
      if (bytes === -(EAGAIN as number)) return WOULD_BLOCK;
      if (bytes < 0) throw this.#target.error('send', -bytes);
      this.#target.writer.charge(bytes);
      this.#rest = this.#rest.subarray(bytes);
    }
    return undefined;
  }
}
