import { native } from '@sockeye/native';
import {
  EAGAIN,
  EBADF,
  EINTR,
  MSG_PEEK,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
} from '../constants/index.ts';
import { SocketError, type SocketErrorDetails, TimeoutError } from '../errors/index.ts';
import type { CreationSite } from './creation-site.ts';
import type { DatagramsAhead } from './datagrams-ahead.ts';
import {
  ACCEPT,
  COPIED_BYTES,
  engine,
  GATHER_BYTES,
  NOTIFY,
  RECEIVE,
  type Sender,
  type Watched,
} from './engine.ts';
import { type CallContext, explain } from './explain.ts';
import { type Joiner, joinedSends } from './joined-sends.ts';
import { CALL_CHARGE, Lane, type LaneOwner } from './lane.ts';
import {
  type Attempt,
  isDone,
  type Operation,
  TRY_LATER,
  WOULD_BLOCK,
  YIELD,
} from './operation.ts';
import { described, LatePending, Pending, type Waiting } from './pending.ts';
import { SendAll } from './send-all.ts';
import { SeldomState } from './seldom-state.ts';
import { SendDatagram } from './send-datagram.ts';
import type { SocketKind, SocketOrigin } from './socket-origin.ts';

// epoll's event bits are poll's (epoll_ctl(2)).
const READABLE = (POLLIN as number) | (POLLRDHUP as number) | (POLLPRI as number);
// POLLNVAL is the watchdog's: the number was closed elsewhere.
const BROKEN = (POLLHUP as number) | (POLLERR as number) | (POLLNVAL as number);
const HUNG_UP = (POLLRDHUP as number) | BROKEN;
const WRITABLE = (POLLOUT as number) | BROKEN;
const MAX_POLL_MS = 0x7fffffff;
// What the poller reports.
const INTEREST = 0xffff;
const SAW_END = 1 << 16;
const SEND_QUEUED = 1 << 17;
// Whether a short read has emptied the receive queue: on TCP, until a hang-up or urgent data. (A
// Unix stream also stops at a descriptor or at other credentials, SCTP at the end of a message.)
const SHORT_READ_TELLS = 1 << 18;
// Pages that a stream's last receive gave, 0 up to COPIED_BYTES; all where it filled its room.
const LAST_PAGES = 15 << 20;
const LAST_PAGES_SHIFT = 20;
const PAGE_BYTES = 4096;
// Whether the kernel was asked about Nagle's algorithm since the last option was set; its answer.
const ASKED_FOR_NAGLE = 1 << 24;
const NAGLE = 1 << 25;
// How long a Sync connect sleeps where only time helps (TRY_LATER).
const RETRY_MS = 5;
/** What stands for `poll` where an operation is asked for. */
const POLL_OPERATION: Operation<number> = {
  syscall: 'poll',
  direction: 'read',
  attempt: () => 0,
};

/** How an operation waits. */
export interface Wait {
  /** Seconds; null waits for ever, 0 not at all. */
  readonly timeout: number | null;
  readonly signal?: AbortSignal | undefined;
  /** The object that must not be collected while the operation waits. */
  readonly owner: object;
}

function drop(lane: Lane, pending: Pending, reason: unknown): void {
  const partial = pending.operation.partial?.();
  if (partial === undefined) pending.reject(reason);
  else pending.resolve(partial);
  lane.remove(pending);
}

// One executor for every promise: a closure for each costs as much as the promise.
let settleResolve: (value: unknown) => void;
let settleReject: (reason: unknown) => void;
function takeSettlers(resolve: (value: never) => void, reject: (reason: unknown) => void): void {
  settleResolve = resolve as (value: unknown) => void;
  settleReject = reject;
}

const origins = new WeakMap<object, Descriptor>();
const peeked = new Uint8Array(1);

/**
 * A socket's descriptor with what waits on it: a lane for each direction, its slot in the poller,
 * and whether it keeps the process alive. It knows nothing of addresses or options.
 */
export class Descriptor implements Watched, Sender, Joiner, LaneOwner {
  readonly reader = new Lane(this);
  eventCount = 0;
  #writer: Lane | undefined;
  #sentBefore = 0;
  #fd: number;
  #origin: SocketOrigin;
  #slot = -1;
  /**
   * INTEREST, SAW_END, SEND_QUEUED, SHORT_READ_TELLS, LAST_PAGES, ASKED_FOR_NAGLE, NAGLE: one word, as
   * there are many descriptors.
   */
  #state = 0;
  #seldom: SeldomState | undefined;

  constructor(fd: number, origin: SocketOrigin) {
    this.#fd = fd;
    this.#origin = origin;
  }

  /** What it shares with those that are accepted from it. */
  get origin(): SocketOrigin {
    return this.#origin;
  }

  /** Where it was made, for the warning that nobody closed it. */
  get site(): CreationSite | undefined {
    return this.#origin.site;
  }

  get kind(): SocketKind {
    return this.#origin.kind;
  }

  get isStream(): boolean {
    return this.#origin.isStream;
  }

  /** UDP and Unix datagrams: they may leave with others. */
  get sendsDatagrams(): boolean {
    return this.#origin.sendsDatagrams;
  }

  /** Datagrams that the next receives get before any from the kernel. */
  get ahead(): DatagramsAhead | undefined {
    return this.#seldom?.ahead;
  }

  set ahead(ahead: DatagramsAhead | undefined) {
    if (ahead !== undefined || this.#seldom !== undefined) this.#own.ahead = ahead;
  }

  get #own(): SeldomState {
    this.#seldom ??= new SeldomState();
    return this.#seldom;
  }

  /** The lane of sends; made anew after a rest. */
  get writer(): Lane {
    this.#writer ??= new Lane(this);
    return this.#writer;
  }

  /** Whether something is being sent. */
  get isSending(): boolean {
    return this.#writer?.head !== undefined;
  }

  /** Bytes received and sent so far. */
  get received(): number {
    return this.reader.total;
  }

  get sent(): number {
    return this.#sentBefore + (this.#writer?.total ?? 0);
  }

  /** Whether a receive has given nothing: on a stream its end, after which nothing comes. */
  get sawEnd(): boolean {
    return (this.#state & SAW_END) !== 0;
  }

  /** Bytes that the next receive is likely to give at most; 0 where they are few, or unknown. */
  get expected(): number {
    const pages = this.#state & LAST_PAGES;
    return pages === 0 ? 0 : ((pages >> LAST_PAGES_SHIFT) + 1) * PAGE_BYTES;
  }

  /**
   * Takes note of what a receive of up to `wanted` bytes gave, and of what that says about the next.
   *
   * @param tells whether a short one has emptied the queue: not with flags
   */
  noteReceived(count: number, wanted: number, tells = true): void {
    if (count === 0 && wanted > 0) this.#state |= SAW_END;
    else if (count < wanted && tells) this.#drained();
    this.#state &= ~LAST_PAGES;
    // A message is not to be cut to the size of the one before.
    if (count > COPIED_BYTES && this.isStream) {
      const pages = Math.floor(count / PAGE_BYTES) << LAST_PAGES_SHIFT;
      this.#state |= count === wanted ? LAST_PAGES : Math.min(pages, LAST_PAGES);
    }
    this.reader.charge(count);
  }

  /** -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  /** The error of a failed call, which can explain itself. */
  error(
    syscall: string,
    errno: number,
    details: SocketErrorDetails & Partial<Pick<CallContext, 'option' | 'reusesAddress'>> = {},
  ): SocketError {
    const { address, option, reusesAddress } = details;
    const error = new SocketError(syscall, errno, {
      ...details,
      explain: (code) => explain(code, { ...this.#origin.kind, address, option, reusesAddress }),
    });
    origins.set(error, this);
    return error;
  }

  /** Whether an error is of a call on this descriptor. */
  isOrigin(error: unknown): boolean {
    return typeof error === 'object' && error !== null && origins.get(error) === this;
  }

  /** Runs an operation: at once where the kernel lets it, else when its turn has come. */
  start<Result>(operation: Operation<Result>, wait: Wait): Promise<Result> {
    if (wait.signal?.aborted) return Promise.reject(wait.signal.reason);
    if (this.closed) return Promise.reject(this.#closedError(operation.syscall));
    const lane = this.#laneOf(operation);
    try {
      if (wait.timeout === 0 || operation.immediate)
        return Promise.resolve(this.#now(lane, operation));
      const later =
        (this.#batches(operation) && !this.#leavesAtOnce(operation)) || this.#joins(operation);
      if (!later && lane.head === undefined && lane.ready && lane.hasTurn()) {
        lane.spend(CALL_CHARGE);
        const result: Attempt<Result> = operation.attempt();
        if (isDone(result)) return Promise.resolve(result);
        if (result === WOULD_BLOCK) lane.ready = false;
      }
    } catch (error) {
      return Promise.reject(described(operation, error));
    }
    return this.#park(lane, operation, wait);
  }

  /** For an operation that may not wait: the kernel, not the memory of it, says whether it would. */
  #now<Result>(lane: Lane, operation: Operation<Result>): Result {
    let result: Attempt<Result> = WOULD_BLOCK;
    if (lane.head !== undefined && operation.immediate !== 'error queue') lane.exhaust();
    if (lane.head === undefined || operation.immediate === 'error queue') {
      while ((result = operation.attempt()) === YIELD) engine.turn++;
    }
    if (isDone(result)) return result;
    throw this.error(operation.syscall, EAGAIN);
  }

  #laneOf(operation: Operation<unknown>): Lane {
    return operation.direction === 'read' ? this.reader : this.writer;
  }

  #park<Result>(lane: Lane, operation: Operation<Result>, wait: Wait): Promise<Result> {
    const promise = new Promise<Result>(takeSettlers);
    const resolve = settleResolve;
    const reject = settleReject;
    try {
      const isLimited = wait.timeout !== null || wait.signal !== undefined;
      if (!isLimited && operation.park !== undefined && lane.head === undefined) {
        engine.start();
        this.#push(lane, operation.park(resolve));
        return promise;
      }
      const Kind = lane.isLate ? LatePending : Pending;
      this.#parkWith(lane, new Kind(operation, wait.owner, resolve, reject), wait);
    } catch (error) {
      reject(error);
    }
    return promise;
  }

  #parkWith(lane: Lane, pending: Pending, { timeout, signal }: Wait): void {
    // It may fail for want of a descriptor: before anything is in the lane.
    engine.start();
    pending.operation.keep?.();
    if (timeout !== null) pending.expireAfter(timeout, () => this.#expire(lane, pending, timeout));
    if (signal !== undefined) pending.abortOn(signal, (reason) => drop(lane, pending, reason));
    this.#push(lane, pending);
  }

  #push(lane: Lane, pending: Waiting): void {
    lane.push(pending);
    if (this.referenced) engine.ref();
    const { operation } = pending;
    if (lane.head === pending && !lane.ready) this.onWaiting(lane);
    else if (this.#batches(operation)) this.#sendLater();
    else if (operation instanceof SendDatagram && operation.joined) this.#queueJoined();
    else if (lane.head === pending) lane.defer();
  }

  /**
   * `start` without a promise, for layers that have one of their own: one of the callbacks is
   * called, perhaps before this returns, never inside the engine's batch. They must not throw.
   */
  startWith<Result>(
    operation: Operation<Result>,
    wait: Wait,
    resolve: (value: Result) => void,
    reject: (reason: unknown) => void,
  ): void {
    const lane = this.#laneOf(operation);
    let result: Attempt<Result> = WOULD_BLOCK;
    try {
      if (this.closed) throw this.#closedError(operation.syscall);
      if (!this.#batches(operation) && lane.head === undefined && lane.ready && lane.hasTurn()) {
        lane.spend(CALL_CHARGE);
        result = operation.attempt();
        if (result === WOULD_BLOCK) lane.ready = false;
      }
      if (!isDone(result)) {
        const pending = new Pending(
          operation,
          wait.owner,
          (value) => engine.call(resolve, value as Result),
          (reason) => engine.call(reject, reason),
        );
        this.#parkWith(lane, pending, wait);
        return;
      }
    } catch (error) {
      reject(described(operation, error));
      return;
    }
    resolve(result);
  }

  /** The kernel has the last word: what came while the loop was busy has come in time. */
  #expire(lane: Lane, pending: Pending, timeout: number): void {
    lane.ready = true;
    lane.run();
    if (pending.settled) return;
    const { syscall, address } = pending.operation;
    drop(lane, pending, new TimeoutError(syscall, timeout, address));
  }

  /** Blocks the thread until the operation is done. What waits already goes first. */
  block<Result>(operation: Operation<Result>, timeout: number | null): Result {
    const lane = this.#laneOf(operation);
    const deadline =
      timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1000;
    const events = (operation.direction === 'read' ? POLLIN : POLLOUT) as number;
    const other = lane === this.reader ? this.writer : this.reader;
    try {
      if (this.closed) throw this.#closedError(operation.syscall);
      if (timeout === 0 || operation.immediate) return this.#now(lane, operation);
      for (;;) {
        let result: Attempt<Result> = lane.head === undefined ? YIELD : lane.exhaust();
        if (lane.head === undefined) result = operation.attempt();
        if (isDone(result)) return result;
        if (result === YIELD) {
          engine.turn++;
          continue;
        }
        // The answer that is waited for may be to what has yet to be sent.
        engine.flush();
        joinedSends.flush();
        const both = other.head !== undefined && other.exhaust() === WOULD_BLOCK && other.head;
        const wanted = both ? (POLLIN as number) | (POLLOUT as number) : events;
        this.#blockFor(operation, result === TRY_LATER ? 0 : wanted, deadline, timeout);
      }
    } catch (error) {
      throw described(operation, error);
    }
  }

  /** Blocks until `events` or the deadline; with no events only for a moment. */
  #blockFor(
    { syscall, address }: Pick<Operation<unknown>, 'syscall' | 'address'>,
    events: number,
    deadline: number,
    timeout: number | null,
  ): void {
    const left = deadline - performance.now();
    if (left <= 0) throw new TimeoutError(syscall, timeout ?? 0, address);
    const ms = events === 0 ? Math.min(left, RETRY_MS) : left;
    const status = native.poll(
      events === 0 ? -1 : this.#fd,
      events,
      Number.isFinite(ms) ? Math.min(Math.ceil(ms), MAX_POLL_MS) : -1,
    );
    if (status < 0 && status !== -(EINTR as number)) throw this.error(syscall, -status);
  }

  /** Waits for readiness, without a place in a lane: it transfers nothing. */
  poll(events: number, wait: Wait): Promise<number> {
    if (wait.signal?.aborted) return Promise.reject(wait.signal.reason);
    const operation = this.#pollOnce(events);
    const ready = operation();
    if (ready < 0) return Promise.reject(this.error('poll', -ready));
    if (ready !== 0) return Promise.resolve(ready);
    if (wait.timeout === 0) return Promise.reject(this.error('poll', EAGAIN as number));
    return new Promise((resolve, reject) =>
      this.#parkPoll(operation, events, wait, resolve, reject),
    );
  }

  /** Calls back when it is closed or detached; returns what takes that back. */
  onLeave(callback: () => void): () => void {
    const wake = (): void => {
      if (this.closed) callback();
    };
    const { pollers } = this.#own;
    pollers.set(wake, 0);
    return () => void pollers.delete(wake);
  }

  /** Those of `events` that hold now. */
  ready(events: number): number {
    return Math.max(this.#poll(events), 0);
  }

  /** Whether bytes wait: poll(2) would not tell them from the end of the stream. */
  hasBytes(): boolean {
    return native.recv(this.#fd, peeked, 0, 1, MSG_PEEK) > 0;
  }

  /** `poll`, blocking the thread. */
  pollSync(events: number, timeout: number | null): number {
    const operation = this.#pollOnce(events);
    const deadline =
      timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1000;
    for (;;) {
      const ready = operation();
      if (ready > 0) return ready;
      if (ready < 0) throw this.error('poll', -ready);
      if (timeout === 0) throw this.error('poll', EAGAIN);
      this.#blockFor(POLL_OPERATION, events, deadline, timeout);
    }
  }

  /** poll(2) without waiting; what was received ahead counts as readable. */
  #poll(events: number): number {
    const ready = native.poll(this.#fd, events, 0);
    return this.ahead === undefined || ready < 0 ? ready : ready | (events & (POLLIN as number));
  }

  #pollOnce(events: number): () => number {
    return () => {
      const ready = this.#poll(events);
      // poll(2) passes over a descriptor of -1.
      return this.closed || (ready & (POLLNVAL as number)) !== 0 ? -(EBADF as number) : ready;
    };
  }

  #parkPoll(
    operation: () => number,
    events: number,
    wait: Wait,
    resolve: (ready: number) => void,
    reject: (reason: unknown) => void,
  ): void {
    const settle = resolve as (value: unknown) => void;
    engine.start();
    const pending = new Pending(POLL_OPERATION, wait.owner, settle, reject);
    const own = this.#own;
    const finish = (): void => {
      own.pollers.delete(wake);
      own.polling--;
      this.onSettled();
    };
    const fail = (reason: unknown): void => {
      finish();
      pending.reject(reason);
    };
    const wake = (): void => {
      const ready = operation();
      if (ready === 0) return;
      if (ready < 0) {
        fail(this.error('poll', -ready, { reason: 'the socket was closed while poll waited' }));
        return;
      }
      finish();
      pending.resolve(ready);
    };
    own.pollers.set(wake, events);
    own.polling++;
    if (own.referenced) engine.ref();
    const { timeout, signal } = wait;
    if (timeout !== null) {
      pending.expireAfter(timeout, () => {
        wake();
        if (!pending.settled) fail(new TimeoutError('poll', timeout));
      });
    }
    if (signal !== undefined) pending.abortOn(signal, fail);
    try {
      this.watch(events | HUNG_UP);
    } catch (error) {
      fail(error);
    }
  }

  // ── what the engine calls ──────────────────────────────────────────────────────────────────────

  onEvents(events: number): void {
    this.#note(events);
    if ((events & (READABLE | HUNG_UP)) !== 0) {
      this.reader.ready = true;
      this.reader.run();
    }
    this.#onOtherEvents(events);
  }

  onServed(events: number, result: number, offset: number): void {
    this.#note(events);
    this.reader.ready = true;
    const pending = this.reader.head;
    // A failed accept is made again: attempt() knows whose failure it was.
    if (pending !== undefined && !(result < 0 && pending.operation.accept !== undefined)) {
      this.reader.shift();
      if (result < 0) pending.reject(this.error(pending.operation.syscall, -result));
      else this.#settleServed(pending, result, offset);
    }
    this.reader.run();
    this.#onOtherEvents(events);
  }

  #note(events: number): void {
    this.eventCount++;
    if ((events & (HUNG_UP | (POLLPRI as number))) !== 0) this.#state &= ~SHORT_READ_TELLS;
  }

  #onOtherEvents(events: number): void {
    if ((events & WRITABLE) !== 0) this.#onWritable();
    if (this.#seldom !== undefined) for (const wake of this.#seldom.pollers.keys()) wake();
  }

  #onWritable(): void {
    const writer = this.#writer;
    if (writer === undefined) return;
    writer.ready = true;
    if (writer.head === undefined) return;
    if (this.#batches(writer.head.operation)) this.#sendLater();
    else writer.run();
  }

  #settleServed(pending: Waiting, result: number, offset: number): void {
    const { operation } = pending;
    const { receive } = operation;
    try {
      if (operation.accept !== undefined) {
        pending.resolve(operation.accept(result, engine.slab, offset));
      } else if (receive !== undefined) {
        this.noteReceived(result, receive.want);
        this.reader.spend(CALL_CHARGE);
        pending.resolve(receive.take(engine.slab, offset, result));
      }
    } catch (error) {
      pending.reject(error);
    }
  }

  waitingFor(): number {
    let events = 0;
    if (this.reader.head !== undefined && !this.reader.ready) events |= POLLIN as number;
    if (this.isSending && !this.writer.ready) events |= POLLOUT as number;
    for (const wanted of this.#seldom?.pollers.values() ?? []) events |= wanted;
    return events;
  }

  /** What idles has no lane for sends, by the thousand: it is 80 bytes. */
  rest(): void {
    const writer = this.#writer;
    if (writer?.atRest !== true) return;
    this.#sentBefore += writer.total;
    this.#writer = undefined;
  }

  /** The last receive took everything: the next one waits for an event. */
  #drained(): void {
    if ((this.#state & SHORT_READ_TELLS) !== 0) this.reader.ready = false;
  }

  /** An error that the kernel told, and forgot, after bytes that were to be delivered first. */
  keepError(error: Error): void {
    this.#own.keptError = error;
  }

  throwKept(): void {
    const seldom = this.#seldom;
    if (seldom?.keptError === undefined) return;
    const error = seldom.keptError;
    seldom.keptError = undefined;
    throw error;
  }

  // ── what the lanes call ────────────────────────────────────────────────────────────────────────

  onWaiting(lane: Lane): void {
    lane.ready = false;
    try {
      this.watch(lane === this.reader ? READABLE : POLLOUT);
    } catch (error) {
      lane.end((pending) => pending.reject(error));
      return;
    }
    if (lane === this.reader) this.#arm();
  }

  onSettled(): void {
    if (this.referenced) engine.unref();
    if (this.#slot >= 0 && this.reader.head === undefined) engine.arm(this.#slot, NOTIFY, 0);
  }

  /** Has the poller report `events` from now on. */
  watch(events: number): void {
    const interest = this.#state & INTEREST;
    const wanted = (interest | events) & INTEREST;
    if (this.#slot < 0) {
      this.#slot = engine.watch(this, wanted);
      if (this.#origin.isTcp(this.#fd)) this.#state |= SHORT_READ_TELLS;
    } else if (wanted !== interest) {
      engine.rewatch(this.#slot, wanted);
    }
    this.#state |= wanted;
  }

  #arm(): void {
    const operation = this.reader.head?.operation;
    const receive = operation?.receive;
    // What is large goes where it belongs, not by way of the slab.
    const direct = this.expected > 0 && receive?.always !== true;
    if (receive !== undefined && !direct) engine.arm(this.#slot, RECEIVE, receive.want);
    else engine.arm(this.#slot, operation?.accept === undefined ? NOTIFY : ACCEPT, 0);
  }

  // ── sends of one turn ──────────────────────────────────────────────────────────────────────────

  /** Whether the operation's bytes may leave with others': those of a datagram may not. */
  #batches(operation: Operation<unknown>): operation is SendAll {
    return operation instanceof SendAll && this.isStream && operation.flags === 0 && !this.closed;
  }

  /**
   * A large send needs nobody to leave with, unless Nagle's algorithm would hold back the small ones
   * behind it until the peer has acknowledged it.
   */
  #leavesAtOnce({ left }: SendAll): boolean {
    if (left <= COPIED_BYTES) return false;
    if ((this.#state & ASKED_FOR_NAGLE) === 0) {
      this.#state |= ASKED_FOR_NAGLE | (this.#origin.holdsBack(this.#fd) ? NAGLE : 0);
    }
    return (this.#state & NAGLE) === 0;
  }

  /** An option is another now, perhaps TCP_NODELAY. */
  noteOption(): void {
    this.#state &= ~(ASKED_FOR_NAGLE | NAGLE);
  }

  #sendLater(): void {
    if ((this.#state & SEND_QUEUED) !== 0 || !this.writer.ready) return;
    this.#state |= SEND_QUEUED;
    engine.sendLater(this);
  }

  gather(target: Buffer, offset: number): number {
    this.#state &= ~SEND_QUEUED;
    if (this.closed || !this.writer.ready) return 0;
    let used = 0;
    // A large one that is alone leaves from where it lies.
    const most = this.writer.head?.behind === undefined ? COPIED_BYTES : GATHER_BYTES;
    for (let at = this.writer.head; at !== undefined; at = at.behind) {
      const { operation } = at;
      if (!this.#batches(operation)) break;
      if (!operation.isWhole || used + operation.left > most) break;
      const { data, sent, length } = operation;
      target.set(
        data.length === operation.left ? data : data.subarray(sent, length),
        offset + used,
      );
      used += operation.left;
    }
    if (used === 0) this.writer.run();
    return used;
  }

  onSent(result: number): void {
    const { writer } = this;
    if (result === -(EAGAIN as number)) {
      this.onWaiting(writer);
      return;
    }
    let left = result;
    while (writer.head !== undefined && writer.head.operation instanceof SendAll) {
      const pending = writer.head;
      const operation = pending.operation as SendAll;
      if (result < 0) {
        writer.shift();
        pending.reject(operation.failed(-result));
        break;
      }
      const taken = Math.min(left, operation.left);
      operation.sent += taken;
      left -= taken;
      if (operation.left > 0) break;
      writer.shift();
      pending.resolve(undefined);
      if (left === 0) break;
    }
    writer.charge(Math.max(result, 0));
    if (writer.head !== undefined) writer.run();
  }

  // ── datagrams that leave together ──────────────────────────────────────────────────────────────

  /**
   * Whether the operation is a datagram that leaves with others; it has been copied then. What has
   * joined leaves now if this one doesn't follow suit.
   */
  #joins(operation: Operation<unknown>): boolean {
    if (!this.sendsDatagrams || operation.direction === 'read') return false;
    const own = this.#own;
    const joins =
      own.segment === joinedSends.segment &&
      operation instanceof SendDatagram &&
      operation.mayJoin &&
      this.writer.ready &&
      this.writer.hasTurn() &&
      operation.join();
    if (!joins && own.joinQueued) {
      // A callback of those may use the scratch, too.
      operation.keep?.();
      this.sendJoined();
    }
    if (own.segment !== joinedSends.segment) own.segment = joinedSends.enter();
    return joins;
  }

  #queueJoined(): void {
    if (this.#own.joinQueued) return;
    this.#own.joinQueued = true;
    joinedSends.queue(this);
  }

  sendJoined(): void {
    this.#own.joinQueued = false;
    this.writer.run();
    for (let at = this.writer.head; at !== undefined; at = at.behind) {
      if (at.operation instanceof SendDatagram) at.operation.own();
    }
  }

  /** Sends what is queued now: before a shutdown, a close, or the descriptor's leaving. */
  flush(): void {
    if (this.isSending && this.writer.ready) this.writer.exhaust();
  }

  // ── life ───────────────────────────────────────────────────────────────────────────────────────

  get referenced(): boolean {
    return this.#seldom === undefined || this.#seldom.referenced;
  }

  setReferenced(referenced: boolean): void {
    if (referenced === this.referenced) return;
    const own = this.#own;
    own.referenced = referenced;
    const pending = own.polling + this.reader.count() + (this.#writer?.count() ?? 0);
    for (let i = 0; i < pending; i++) {
      if (referenced) engine.ref();
      else engine.unref();
    }
  }

  /** Gives the descriptor away: what waits is rejected, the number is returned and stays open. */
  detach(): number {
    const fd = this.#leave();
    if (fd >= 0) native.disown(fd);
    return fd;
  }

  /**
   * Closes. Throws EBADF when the number was closed elsewhere.
   *
   * @param reason what operations that wait, and those that come, reject with instead of EBADF
   */
  close(reason?: Error): void {
    if (reason !== undefined) this.#own.closeReason = reason;
    const fd = this.#leave();
    if (fd < 0) return;
    const status = native.close(fd);
    if (status < 0) throw this.error('close', -status);
  }

  #leave(): number {
    if (this.closed) return -1;
    this.flush();
    const fd = this.#fd;
    this.#fd = -1;
    this.ahead = undefined;
    if (this.#slot >= 0) engine.unwatch(this.#slot);
    this.#slot = -1;
    const settle = (pending: Waiting): void => {
      const { syscall, whenClosed } = pending.operation;
      if (whenClosed !== undefined && this.#closeReason === undefined) pending.resolve(whenClosed);
      else
        pending.reject(
          this.#closedError(syscall, 'the socket was closed while the operation waited'),
        );
    };
    this.reader.end(settle);
    this.#writer?.end(settle);
    for (const wake of this.#seldom?.pollers.keys() ?? []) wake();
    return fd;
  }

  get #closeReason(): Error | undefined {
    return this.#seldom?.closeReason;
  }

  #closedError(syscall: string, reason = 'the socket is closed'): Error {
    return this.#closeReason ?? this.error(syscall, EBADF, { reason });
  }
}
