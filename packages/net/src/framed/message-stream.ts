import type { Codec, Decoder } from '../codec/index.ts';
import { ProtocolError } from '../codec/index.ts';
import { EBADF, ECONNRESET } from '../constants/index.ts';
import { invalidType, SocketError, TimeoutError } from '../errors/index.ts';
import type { ByteChannel } from './byte-channel.ts';
import { FrameDeadline } from './frame-deadline.ts';
import { FrameTimeoutError } from './frame-timeout-error.ts';
import { positive } from './framed-options.ts';
import type { RequestTable } from './request-table.ts';

/** How a request waits. */
export interface RequestOptions {
  /** Gives the request up: the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal | undefined;
  /** Until the reply, in milliseconds. Default Infinity. */
  readonly timeoutMs?: number | undefined;
}

const DONE = Promise.resolve();
const END: IteratorReturnResult<undefined> = { done: true, value: undefined };
// setTimeout takes no more.
const MAX_TIMER_MS = 0x7fffffff;
const ignore = (): void => undefined;

/**
 * The messages of one connection, in both directions. `framed` makes one.
 *
 * What was received before an error or the end is delivered first. A frame that breaks the codec's
 * rules or takes too long closes the connection.
 */
export class MessageStream<Message, Sent = Message>
  implements AsyncIterable<Message>, AsyncDisposable
{
  readonly #channel: ByteChannel;
  readonly #codec: Codec<Message, Sent>;
  readonly #decoder: Decoder<Message>;
  readonly #requests: RequestTable<Message, Sent>;
  readonly #frameTimeoutMs: number;
  #deadline: FrameDeadline | undefined;
  #messages: readonly Message[] = [];
  #at = 0;
  #waiters: Waiter[] = [];
  #isReceiving = false;
  #ended = false;
  #failure: unknown;
  #closing: Promise<void> | undefined;

  /** @internal */
  constructor(
    channel: ByteChannel,
    codec: Codec<Message, Sent>,
    requests: RequestTable<Message, Sent>,
    frameTimeoutMs: number,
  ) {
    this.#channel = channel;
    this.#codec = codec;
    this.#decoder = codec.decoder();
    this.#requests = requests;
    this.#frameTimeoutMs = frameTimeoutMs;
  }

  /** Bytes that were sent and that the kernel hasn't taken. */
  get queuedBytes(): number {
    return this.#channel.outgoing.queued;
  }

  /** Whether `send` would resolve at once. */
  get hasRoom(): boolean {
    return this.#channel.outgoing.hasRoom;
  }

  /**
   * Sends a message. Resolves at once while less than `highWaterMark` waits to leave, else when
   * there is room again; of a frame with a piece above 32 KiB, which isn't copied, when the kernel
   * has taken it. Until then the message must not be changed.
   *
   * An error that came after a send had resolved rejects the next one, and `close()`. A rejection
   * that nobody handles does no harm: the same error ends the iteration or comes again in `close`.
   *
   * @throws ProtocolError, TypeError when the codec can't encode it: nothing is sent, all goes on;
   *   SocketError EPIPE, ECONNRESET, …; EBADF after close
   */
  send(message: Sent): Promise<void> {
    const { outgoing } = this.#channel;
    try {
      if (outgoing.failure !== undefined) throw outgoing.failure;
      if (this.#closing !== undefined) throw closedError('send');
      this.#channel.send(this.#codec, message);
    } catch (error) {
      return handled(Promise.reject(error));
    }
    return outgoing.hasRoom ? DONE : handled(outgoing.drained(false));
  }

  /** Resolves when the kernel has taken everything that was sent. @throws as `send` */
  flush(): Promise<void> {
    return this.#channel.outgoing.drained(true);
  }

  /**
   * Sends a message and waits for the reply. Replies are recognised by `idOf`, or by their order;
   * they don't appear in the iteration. What else comes waits for the iteration: a chunk of it at
   * most, then reading pauses until it is taken.
   *
   * A request that is given up takes its late reply with it.
   *
   * @throws as `send`; SocketError ECONNRESET when the connection ends first; TimeoutError; the
   *   signal's reason; ERR_INVALID_STATE for an id that waits already
   */
  request(message: Sent, { signal, timeoutMs }: RequestOptions = {}): Promise<Message> {
    try {
      const limit = positive('timeoutMs', timeoutMs, Number.POSITIVE_INFINITY);
      if (signal !== undefined && !(signal instanceof AbortSignal)) {
        throw invalidType('signal', 'an AbortSignal', signal);
      }
      signal?.throwIfAborted();
      return this.#request(message, limit, signal);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #request(message: Sent, timeoutMs: number, signal: AbortSignal | undefined): Promise<Message> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended) throw endedError();
    const { promise, resolve, reject } = withResolvers<Message>();
    let timer: NodeJS.Timeout | undefined;
    const release = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
    };
    const abandon = this.#requests.add(message, {
      resolve: (reply) => {
        release();
        resolve(reply);
      },
      reject: (reason) => {
        release();
        reject(reason);
      },
    });
    const giveUp = (reason: unknown): void => {
      abandon();
      release();
      reject(reason);
    };
    const onAbort = (): void => giveUp(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (timeoutMs !== Number.POSITIVE_INFINITY) {
      const expire = (): void => giveUp(new TimeoutError('request', timeoutMs / 1000));
      timer = setTimeout(expire, Math.min(timeoutMs, MAX_TIMER_MS));
    }
    this.send(message).catch(giveUp);
    this.#receive();
    return promise;
  }

  get #isOpen(): boolean {
    return !this.#ended && this.#failure === undefined;
  }

  /** The next messages; leaving the loop leaves the connection open, and another may go on. */
  [Symbol.asyncIterator](): AsyncIterator<Message, undefined> {
    return {
      next: () => this.#next(),
      return: () => Promise.resolve(END),
    };
  }

  /**
   * The same messages, all that are there at once: at least one, at most what a receive completed.
   * Where a peer sends many without waiting it saves the wait for each, which is as much as all else
   * that is done for a short message.
   *
   * A loop over the messages and one over batches may follow each other: each message is in one.
   *
   * @example
   * const [left, right] = socketpair();
   * const client = framed(left, lines());
   * const server = framed(right, lines());
   * for (const word of ['one', 'two', 'three']) void client.send(word);
   * for await (const batch of server.batches()) {
   *   assert.deepEqual(batch, ['one', 'two', 'three']);
   *   break;
   * }
   * await client.close();
   * await server.close();
   */
  batches(): AsyncIterableIterator<readonly Message[], undefined> {
    const iterator = {
      next: () => this.#nextBatch(),
      return: () => Promise.resolve(END),
      [Symbol.asyncIterator]: () => iterator,
    };
    return iterator;
  }

  #next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#channel.outgoing.isOverrun) return this.#withRoom(() => this.#next());
    if (this.#at >= this.#messages.length) return this.#received(false);
    const result = this.#takeOne();
    this.#receiveReplies();
    return Promise.resolve(result);
  }

  #nextBatch(): Promise<IteratorResult<readonly Message[], undefined>> {
    if (this.#channel.outgoing.isOverrun) return this.#withRoom(() => this.#nextBatch());
    if (this.#at >= this.#messages.length) return this.#received(true);
    const result = this.#takeAll();
    this.#receiveReplies();
    return Promise.resolve(result);
  }

  #takeOne(): IteratorYieldResult<Message> {
    return { done: false, value: this.#messages[this.#at++] as Message };
  }

  #takeAll(): IteratorYieldResult<readonly Message[]> {
    const value = this.#at === 0 ? this.#messages : this.#messages.slice(this.#at);
    this.#messages = [];
    this.#at = 0;
    return { done: false, value };
  }

  #receiveReplies(): void {
    if (this.#at === this.#messages.length && this.#requests.waiting > 0) this.#receive();
  }

  /**
   * Who sends without waiting for room is stopped here, so that a peer that doesn't read costs
   * little more than the highWaterMark and not all memory.
   */
  async #withRoom<Value>(next: () => Promise<Value>): Promise<Value> {
    // What failed, the iteration finds out in its own way.
    await this.#channel.outgoing.drained(false).catch(ignore);
    return next();
  }

  #received<Result>(takesAll: boolean): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiters.push({ takesAll, resolve: resolve as Waiter['resolve'], reject });
      this.#advance();
    });
  }

  /** Gives everybody who waits what there is, then receives for those who still wait. */
  #advance(): void {
    const gives = this.#waiters.length > 0 && this.#at < this.#messages.length;
    while (this.#waiters.length > 0 && this.#at < this.#messages.length) {
      const waiter = this.#waiters.shift();
      waiter?.resolve(waiter.takesAll ? this.#takeAll() : this.#takeOne());
    }
    if (this.#isOpen) this.#receive();
    // Who got the last of them answers it first, then asks for more.
    else if (!gives || this.#waiters.length > 0) this.#finish();
  }

  /** The messages are over, by an error or the end. */
  #finish(): void {
    const error = this.#failure;
    // Answers to what came before the error were still to be made: only now is it time to close.
    const isRead = this.#at >= this.#messages.length;
    if (isRead && isPeersFault(error) && !this.#channel.closed) this.#channel.abort(error);
    for (const { resolve, reject } of this.#waiters.splice(0)) {
      if (error === undefined) resolve(END);
      else reject(error);
    }
  }

  /** Receives, if somebody waits for it. While messages wait for the iteration nobody does. */
  #receive(): void {
    if (this.#isReceiving || !this.#isOpen || this.#at < this.#messages.length) return;
    if (this.#waiters.length === 0 && this.#requests.waiting === 0) return;
    this.#isReceiving = true;
    if ((this.#decoder.pendingBytes ?? 0) > 0) this.#frameDeadline?.resume();
    this.#channel.receive(this.#onChunk, this.#onError);
  }

  get #frameDeadline(): FrameDeadline | undefined {
    if (this.#frameTimeoutMs === Number.POSITIVE_INFINITY) return undefined;
    this.#deadline ??= new FrameDeadline(this.#frameTimeoutMs, () => {
      const { pendingBytes = 0 } = this.#decoder;
      this.#fail(new FrameTimeoutError(this.#frameTimeoutMs, pendingBytes));
      this.#advance();
    });
    return this.#deadline;
  }

  readonly #onChunk = (chunk: Buffer): void => {
    this.#isReceiving = false;
    this.#deadline?.pause();
    try {
      if (chunk.length === 0) this.#end();
      else this.#take(this.#decoder.push(chunk));
    } catch (error) {
      this.#fail(error);
    }
    this.#advance();
  };

  #take(decoded: Iterable<Message>): void {
    const rest = this.#messages.length - this.#at;
    if (Array.isArray(decoded) && rest === 0 && !this.#requests.expects) {
      if (decoded.length === 0) return;
      this.#messages = decoded as Message[];
      this.#at = 0;
      this.#deadline?.reset();
    } else this.#takeEach(decoded);
  }

  #takeEach(decoded: Iterable<Message>): void {
    const messages = this.#messages.slice(this.#at);
    this.#messages = messages;
    this.#at = 0;
    // It may throw after some: those are kept.
    for (const message of decoded) {
      this.#deadline?.reset();
      if (!this.#requests.expects || !this.#requests.take(message)) messages.push(message);
    }
  }

  #end(): void {
    this.#ended = true;
    const last = this.#decoder.end();
    if (last !== undefined) this.#take(last);
    this.#requests.fail(endedError());
  }

  readonly #onError = (error: unknown): void => {
    this.#isReceiving = false;
    this.#deadline?.pause();
    // A timeout of the socket's own ends what waits, and nothing else.
    if (error instanceof TimeoutError) {
      this.#requests.fail(error);
      for (const { reject } of this.#waiters.splice(0)) reject(error);
      return;
    }
    if (this.#closing === undefined) this.#fail(error);
    else this.#ended = true;
    this.#advance();
  };

  #fail(error: unknown): void {
    this.#failure ??= error;
    this.#requests.fail(error);
  }

  /**
   * Sends what waits to leave, then closes the connection. The iteration ends, requests that wait
   * reject. Closes as well when it throws.
   *
   * @throws the error of an earlier send
   */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    try {
      if (!this.#channel.closed) await this.#channel.outgoing.drained(true);
    } finally {
      this.#deadline?.pause();
      await this.#channel.close();
      this.#ended = true;
      this.#requests.fail(closedError('request'));
      this.#finish();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** The promise itself, whose rejection may stay unhandled: the error is told elsewhere too. */
function handled<Value>(promise: Promise<Value>): Promise<Value> {
  promise.catch(ignore);
  return promise;
}

function closedError(syscall: string): SocketError {
  return new SocketError(syscall, EBADF, { reason: 'close() was called on the messages' });
}

function endedError(): SocketError {
  return new SocketError('request', ECONNRESET, {
    reason: 'the peer ended the connection before it answered',
  });
}

interface Waiter {
  /** Whether it waits for a batch. */
  readonly takesAll: boolean;
  readonly resolve: (result: IteratorResult<unknown, undefined>) => void;
  readonly reject: (reason: unknown) => void;
}

interface Resolvers<Value> {
  readonly promise: Promise<Value>;
  readonly resolve: (value: Value) => void;
  readonly reject: (reason: unknown) => void;
}

// Promise.withResolvers came with Node 22.
function withResolvers<Value>(): Resolvers<Value> {
  const parts: Partial<Pick<Resolvers<Value>, 'resolve' | 'reject'>>[] = [];
  const promise = new Promise<Value>((resolve, reject) => parts.push({ resolve, reject }));
  return { ...(parts[0] as Resolvers<Value>), promise };
}

function isPeersFault(error: unknown): error is Error {
  return error instanceof ProtocolError || error instanceof FrameTimeoutError;
}
