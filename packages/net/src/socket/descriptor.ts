import { native } from '@sockeye/native';
import {
  EAGAIN,
  EBADF,
  EINTR,
  POLLERR,
  POLLHUP,
  POLLIN,
  POLLNVAL,
  POLLOUT,
  POLLPRI,
  POLLRDHUP,
} from '../constants/index.ts';
import { SocketError, type SocketErrorDetails, TimeoutError } from '../errors/index.ts';
import {
  ACCEPT,
  engine,
  GATHER_BYTES,
  NOTIFY,
  RECEIVE,
  type Sender,
  type Watched,
} from './engine.ts';
import { Lane, type LaneOwner } from './lane.ts';
import { type Attempt, type Operation, TRY_LATER, WOULD_BLOCK, YIELD } from './operation.ts';
import { Pending } from './pending.ts';
import { SendAll } from './send-all.ts';

// epoll's event bits are poll's (epoll_ctl(2)).
const READABLE = (POLLIN as number) | (POLLRDHUP as number) | (POLLPRI as number);
const HUNG_UP = (POLLRDHUP as number) | (POLLHUP as number) | (POLLERR as number);
const MAX_ACCEPTS = 16;
// A flat charge for a call that moved no bytes, so that endless small ones end a turn too.
const CALL_CHARGE = 1024;
const MAX_POLL_MS = 0x7fffffff;
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

function isDone<Result>(result: Attempt<Result>): result is Result {
  return result !== WOULD_BLOCK && result !== TRY_LATER && result !== YIELD;
}

/**
 * A socket's descriptor with what waits on it: a lane for each direction, its slot in the poller,
 * and whether it keeps the process alive. It knows nothing of addresses or options.
 */
export class Descriptor implements Watched, Sender, LaneOwner {
  #fd: number;
  readonly isStream: boolean;
  readonly reader = new Lane('read', this);
  readonly writer = new Lane('write', this);
  /** Waiters of `poll`, which any event wakes. */
  readonly pollers = new Set<() => void>();
  #slot = -1;
  #interest = 0;
  #pending = 0;
  #referenced = true;
  #sendQueued = false;
  // After a hang-up or with urgent data a short read says nothing about what follows.
  #shortReadTells = true;

  constructor(fd: number, isStream: boolean) {
    this.#fd = fd;
    this.isStream = isStream;
  }

  /** -1 once closed. */
  get fd(): number {
    return this.#fd;
  }

  get closed(): boolean {
    return this.#fd < 0;
  }

  error(syscall: string, errno: number, details?: SocketErrorDetails): SocketError {
    return new SocketError(syscall, errno, details);
  }

  /** Runs an operation: at once where the kernel lets it, else when its turn has come. */
  start<Result>(operation: Operation<Result>, wait: Wait): Promise<Result> {
    const lane = operation.direction === 'read' ? this.reader : this.writer;
    if (wait.signal?.aborted) return Promise.reject(wait.signal.reason);
    if (this.#batches(operation) && wait.timeout !== 0) {
      return this.#park<Result>(lane, operation as Operation<Result>, wait);
    }
    if (lane.head === undefined || operation.immediate) {
      if (lane.ready && lane.hasTurn()) {
        try {
          const result: Attempt<Result> = operation.attempt();
          if (isDone(result)) {
            lane.charge(CALL_CHARGE);
            return Promise.resolve(result);
          }
          if (result === WOULD_BLOCK) lane.ready = false;
        } catch (error) {
          if (error instanceof Error) operation.describe?.(error);
          return Promise.reject(error);
        }
      } else if (wait.timeout === 0 || operation.immediate) {
        return this.#attemptOnce(operation);
      }
    }
    if (wait.timeout === 0 || operation.immediate) {
      return Promise.reject(this.error(operation.syscall, EAGAIN as number));
    }
    return this.#park(lane, operation, wait);
  }

  /** For an operation that may not wait: the kernel, not the memory of it, says whether it would. */
  #attemptOnce<Result>(operation: Operation<Result>): Promise<Result> {
    try {
      const result = operation.attempt();
      if (isDone(result)) return Promise.resolve(result);
      return Promise.reject(this.error(operation.syscall, EAGAIN as number));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #park<Result>(lane: Lane, operation: Operation<Result>, wait: Wait): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      const pending = new Pending(
        operation as Operation<unknown>,
        wait.owner,
        resolve as (value: unknown) => void,
        reject,
      );
      lane.push(pending);
      this.#pending++;
      if (this.#referenced) engine.ref();
      const { timeout, signal } = wait;
      if (timeout !== null) {
        pending.expireAfter(timeout, this.#referenced, () =>
          this.#drop(
            lane,
            pending,
            new TimeoutError(operation.syscall, timeout, operation.address),
          ),
        );
      }
      if (signal !== undefined)
        pending.abortOn(signal, (reason) => this.#drop(lane, pending, reason));
      if (this.#batches(operation)) this.#sendLater();
      else if (lane.head === pending) {
        if (!lane.ready) this.onWaiting(lane);
        else lane.defer();
      }
    });
  }

  #drop(lane: Lane, pending: Pending, reason: unknown): void {
    lane.remove(pending);
    pending.reject(reason);
  }

  /** Blocks the thread until the operation is done. What waits already goes first. */
  block<Result>(operation: Operation<Result>, timeout: number | null): Result {
    const lane = operation.direction === 'read' ? this.reader : this.writer;
    const deadline =
      timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1000;
    const events = (operation.direction === 'read' ? POLLIN : POLLOUT) as number;
    try {
      for (;;) {
        if (lane.head !== undefined) {
          lane.ready = true;
          lane.run();
        }
        if (lane.head === undefined) {
          const result = operation.attempt();
          if (isDone(result)) return result;
          if (result === YIELD) continue;
          if (timeout === 0 || operation.immediate)
            throw this.error(operation.syscall, EAGAIN as number);
          this.#blockFor(operation, result === TRY_LATER ? 0 : events, deadline, timeout);
        } else {
          this.#blockFor(operation, events, deadline, timeout);
        }
      }
    } catch (error) {
      if (error instanceof Error) operation.describe?.(error);
      throw error;
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

  /** `poll`, blocking the thread. */
  pollSync(events: number, timeout: number | null): number {
    const operation = this.#pollOnce(events);
    const deadline =
      timeout === null ? Number.POSITIVE_INFINITY : performance.now() + timeout * 1000;
    for (;;) {
      const ready = operation();
      if (ready > 0) return ready;
      if (ready < 0) throw this.error('poll', -ready);
      if (timeout === 0) throw this.error('poll', EAGAIN as number);
      this.#blockFor(POLL_OPERATION, events, deadline, timeout);
    }
  }

  #pollOnce(events: number): () => number {
    return () => {
      const ready = native.poll(this.#fd, events, 0);
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
    const pending = new Pending(POLL_OPERATION, wait.owner, settle, reject);
    const finish = (): void => {
      this.pollers.delete(wake);
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
    this.pollers.add(wake);
    this.#pending++;
    if (this.#referenced) engine.ref();
    const { timeout, signal } = wait;
    if (timeout !== null) {
      const late = (): void => fail(new TimeoutError('poll', timeout));
      pending.expireAfter(timeout, this.#referenced, late);
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
    if ((events & (HUNG_UP | (POLLPRI as number))) !== 0) this.#shortReadTells = false;
    if ((events & (READABLE | HUNG_UP)) !== 0) {
      this.reader.ready = true;
      this.reader.run();
    }
    if ((events & ((POLLOUT as number) | (POLLHUP as number) | (POLLERR as number))) !== 0)
      this.#onWritable();
    if (this.pollers.size > 0) for (const wake of [...this.pollers]) wake();
  }

  #onWritable(): void {
    this.writer.ready = true;
    const { head } = this.writer;
    if (head === undefined) return;
    if (this.#batches(head.operation)) this.#sendLater();
    else this.writer.run();
  }

  onServed(events: number, result: number, offset: number): void {
    const pending = this.reader.head;
    const operation = pending?.operation;
    if ((events & (HUNG_UP | (POLLPRI as number))) !== 0) this.#shortReadTells = false;
    this.reader.ready = true;
    if (result === -(EAGAIN as number)) {
      this.reader.ready = !this.#shortReadTells;
    } else if (pending !== undefined && operation !== undefined) {
      this.reader.shift();
      if (result < 0) pending.reject(this.error(operation.syscall, -result));
      else this.#settleServed(pending, result, offset);
    }
    const rest = events & ~((POLLIN as number) | (POLLRDHUP as number));
    if (this.reader.head !== undefined) this.reader.run();
    if ((rest & (POLLOUT as number)) !== 0 && this.writer.head !== undefined) this.#onWritable();
    if (this.pollers.size > 0) for (const wake of [...this.pollers]) wake();
  }

  #settleServed(pending: Pending, result: number, offset: number): void {
    const { accept, receive } = pending.operation;
    try {
      if (accept !== undefined) pending.resolve(accept(result, engine.slab, offset));
      else if (receive !== undefined) {
        if (result > 0 && result < receive.want) this.drained();
        this.reader.charge(result);
        pending.resolve(receive.take(engine.slab, offset, result));
      }
    } catch (error) {
      pending.reject(error);
    }
  }

  waitingFor(): number {
    return (
      (this.reader.head !== undefined && !this.reader.ready ? (POLLIN as number) : 0) |
      (this.writer.head !== undefined && !this.writer.ready ? (POLLOUT as number) : 0)
    );
  }

  /** The last receive took everything: the next one waits for an event. */
  drained(): void {
    if (this.#slot >= 0 && this.#shortReadTells && this.isStream) this.reader.ready = false;
  }

  // ── what the lanes call ────────────────────────────────────────────────────────────────────────

  onWaiting(lane: Lane): void {
    lane.ready = false;
    try {
      this.watch(lane.direction === 'read' ? READABLE : (POLLOUT as number));
    } catch (error) {
      lane.fail(() => error);
      return;
    }
    if (lane === this.reader) this.#arm();
  }

  onSettled(): void {
    this.#pending--;
    if (this.#referenced) engine.unref();
    if (this.#slot >= 0 && this.reader.head === undefined) engine.arm(this.#slot, NOTIFY, 0);
  }

  /** Has the poller report `events` from now on. */
  watch(events: number): void {
    const wanted = this.#interest | events;
    if (this.#slot < 0) {
      this.#slot = engine.watch(this, wanted);
    } else if (wanted !== this.#interest) {
      engine.rewatch(this.#slot, wanted);
    }
    this.#interest = wanted;
  }

  #arm(): void {
    const operation = this.reader.head?.operation;
    if (operation?.receive !== undefined) engine.arm(this.#slot, RECEIVE, operation.receive.want);
    else if (operation?.accept !== undefined)
      engine.arm(this.#slot, ACCEPT, this.#acceptsWaiting());
    else engine.arm(this.#slot, NOTIFY, 0);
  }

  #acceptsWaiting(): number {
    let count = 0;
    for (
      let at = this.reader.head;
      at?.operation.accept !== undefined && count < MAX_ACCEPTS;
      at = at.next
    ) {
      count++;
    }
    return count;
  }

  // ── sends of one turn ──────────────────────────────────────────────────────────────────────────

  /** Whether the operation's bytes may leave with others': those of a datagram may not. */
  #batches(operation: Operation<unknown>): operation is SendAll {
    return operation instanceof SendAll && this.isStream && operation.flags === 0 && !this.closed;
  }

  #sendLater(): void {
    if (this.#sendQueued || !this.writer.ready) return;
    this.#sendQueued = true;
    engine.sendLater(this);
  }

  gather(target: Buffer, offset: number): number {
    this.#sendQueued = false;
    if (this.closed || !this.writer.ready) return 0;
    let used = 0;
    for (let at = this.writer.head; at !== undefined; at = at.next) {
      const { operation } = at;
      if (!this.#batches(operation)) break;
      if (used + operation.left > GATHER_BYTES) break;
      const { data, sent } = operation;
      target.set(sent === 0 ? data : data.subarray(sent), offset + used);
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

  /** Sends what the turn has queued now: before a shutdown, a close, or the descriptor's leaving. */
  flush(): void {
    if (this.#sendQueued) this.writer.run();
  }

  // ── life ───────────────────────────────────────────────────────────────────────────────────────

  get referenced(): boolean {
    return this.#referenced;
  }

  setReferenced(referenced: boolean): void {
    if (referenced === this.#referenced) return;
    this.#referenced = referenced;
    for (let i = 0; i < this.#pending; i++) {
      if (referenced) engine.ref();
      else engine.unref();
    }
    for (const lane of [this.reader, this.writer]) {
      for (let at = lane.head; at !== undefined; at = at.next) at.setReferenced(referenced);
    }
  }

  /** Gives the descriptor away: what waits is rejected, the number is returned and stays open. */
  detach(): number {
    const fd = this.#leave();
    if (fd >= 0) native.disown(fd);
    return fd;
  }

  /** Closes. Throws EBADF when the number was closed elsewhere. */
  close(): void {
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
    if (this.#slot >= 0) engine.unwatch(this.#slot);
    this.#slot = -1;
    const closed = (pending: Pending): SocketError =>
      this.error(pending.operation.syscall, EBADF as number, {
        reason: 'the socket was closed while the operation waited',
      });
    this.reader.fail(closed);
    this.writer.fail(closed);
    for (const wake of [...this.pollers]) wake();
    return fd;
  }
}
