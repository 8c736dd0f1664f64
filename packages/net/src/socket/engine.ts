// The thread's side of the poller (packages/native/src/poller.h says how the two work together).
//
// Theory of operation. A descriptor on which an operation waits has a slot. When the poller wakes
// the loop it calls #onBatch once for all events; that settles promises and runs no code of the
// user's, which could close or abort what a later record is about. The microtasks after it do, and
// callbacks, which call() keeps until then. What they send is queued: sends of one turn leave
// together in #onFlush, which the poller calls before the loop sleeps.

import { native } from '@sockeye/native';
import { SocketError } from '../errors/index.ts';

/** What the engine calls when something happens to a watched descriptor. */
export interface Watched {
  readonly fd: number;
  /** The descriptor is ready for `events` (POLLIN, POLLOUT, …). */
  onEvents(events: number): void;
  /** The poller made the call that was armed: bytes, a descriptor, or -errno. */
  onServed(events: number, result: number, offset: number): void;
  /** What operations wait for: POLLIN, POLLOUT, … or 0. */
  waitingFor(): number;
  /** Called now and then, out of any batch: lets go of what it can make anew. */
  rest(): void;
  /** Grows with every event that was delivered. */
  readonly eventCount: number;
}

/** A descriptor with sends that wait for the end of the turn. */
export interface Sender {
  /** Copies what may leave now to `target`; returns the bytes copied, or 0 for none. */
  gather(target: Buffer, offset: number): number;
  readonly fd: number;
  /** Takes the result of the send: bytes, or -errno. */
  onSent(result: number): void;
}

/** What the poller is to do at the slot's next event (poller.h). */
export const NOTIFY = 0;
export const RECEIVE = 1;
export const ACCEPT = 2;

const SERVED = 1 << 24;
const IN_BATCH = 0;
const FLUSH_REQUESTED = 1;
const RECORD_WORDS = 4;
const FIRST_SLOTS = 256;

/** A socket that was served this much in one turn lets the others go first (safety.md 7). */
export const TURN_BYTES = 256 * 1024;
/** What leaves with others is copied together up to this; above it goes out from where it lies. */
export const GATHER_BYTES = 32 * 1024;
/** A receive or a send above this is worth a call of its own, without a copy (performance.md). */
export const COPIED_BYTES = 8 * 1024;
const OUTGOING_BYTES = 256 * 1024;
const SEND_WORDS = 4;
const MAX_SENDS = 512;
// Two rounds must find the same descriptor ready without an event: within a second (safety.md 10).
const WATCHDOG_MS = 300;
// Slots that one poll(2) of the watchdog is about: room for all was 24 bytes a connection.
const POLLED_AT_ONCE = 512;

class Engine {
  /** Bytes that the poller received; valid until the batch's callback returns. */
  slab: Buffer = Buffer.alloc(0);
  /** Grows with every chance that the loop gives to others. */
  turn = 0;
  /** Readiness events that never came and were found by the watchdog. */
  lostEvents = 0;

  #poller = -1;
  #header = new Int32Array(2);
  #records = new Int32Array(0);
  #control = new Int32Array(0);
  #slots: (Watched | undefined)[] = [];
  #free: number[] = [];
  #references = 0;
  #senders: Sender[] = [];
  #outgoing: Buffer | undefined;
  #sendWords = new Int32Array(MAX_SENDS * SEND_WORDS);
  #deferred: (() => void)[] = [];
  #inBatch = false;
  #calls: { callback: (value: unknown) => void; value: unknown }[] = [];
  #watchdog: NodeJS.Timeout | undefined;
  #suspects = new Map<Watched, number>();
  // The watchdog's, kept between its rounds: V8 gives an idle server's memory back only while next to
  // nothing is allocated. Two words for poll, descriptor and events, for each slot of the other.
  #pollWords = new Int32Array(POLLED_AT_ONCE * 2);
  #pollSlots = new Int32Array(POLLED_AT_ONCE);

  /** Starts the poller, once. Throws when there is no descriptor for it. */
  start(): void {
    if (this.#poller >= 0) return;
    const memory: ArrayBuffer[] = [];
    const poller = native.pollerStart(
      (count) => this.#onBatch(count),
      () => this.#onFlush(),
      memory,
    );
    if (poller < 0) throw new SocketError('epoll_create1', -poller);
    const [header, records, slab] = memory as [ArrayBuffer, ArrayBuffer, ArrayBuffer];
    this.#header = new Int32Array(header);
    this.#records = new Int32Array(records);
    this.slab = Buffer.from(slab);
    this.#poller = poller;
    this.#grow(FIRST_SLOTS);
  }

  /** Watches a descriptor, edge-triggered; returns its slot. */
  watch(watched: Watched, events: number): number {
    this.start();
    const slot = this.#free.pop() ?? this.#slots.length;
    if (slot * 2 >= this.#control.length) this.#grow(slot + 1);
    const status = native.pollerWatch(this.#poller, slot, watched.fd, events);
    if (status < 0) {
      this.#free.push(slot);
      if (slot === this.#slots.length) this.#slots.push(undefined);
      throw new SocketError('epoll_ctl', -status);
    }
    this.#slots[slot] = watched;
    return slot;
  }

  rewatch(slot: number, events: number): void {
    native.pollerRewatch(this.#poller, slot, events);
  }

  unwatch(slot: number): void {
    this.#slots[slot] = undefined;
    this.#free.push(slot);
    native.pollerUnwatch(this.#poller, slot);
  }

  /** Says what the poller does at the slot's next event; `want` is the bytes to receive. */
  arm(slot: number, mode: number, want: number): void {
    this.#control[slot * 2] = mode;
    this.#control[slot * 2 + 1] = want;
  }

  /** One more operation that keeps the process alive; `start` came before. */
  ref(): void {
    if (this.#references++ === 0) native.pollerRef(this.#poller, true);
    this.#watchdog ??= setInterval(() => this.#watch(), WATCHDOG_MS).unref();
  }

  unref(): void {
    if (--this.#references === 0) native.pollerRef(this.#poller, false);
  }

  /** Has the sender gathered and sent at the end of this turn. */
  sendLater(sender: Sender): void {
    this.#senders.push(sender);
    if (this.#header[FLUSH_REQUESTED] === 1) return;
    this.#header[FLUSH_REQUESTED] = 1;
    if (this.#header[IN_BATCH] === 0) native.pollerFlush(this.#poller);
  }

  /** Sends now what this turn has queued: the thread is about to block. */
  flush(): void {
    if (this.#senders.length > 0) this.#onFlush();
  }

  /** Runs `task` once the loop has served everybody else. */
  defer(task: () => void): void {
    this.#deferred.push(task);
    if (this.#deferred.length === 1) setImmediate(() => this.#runDeferred());
  }

  #runDeferred(): void {
    this.turn++;
    const tasks = this.#deferred;
    this.#deferred = [];
    for (const task of tasks) task();
  }

  #grow(slots: number): void {
    let size = Math.max(FIRST_SLOTS, this.#control.length / 2);
    while (size < slots) size *= 2;
    this.#control = new Int32Array(native.pollerGrow(this.#poller, size));
  }

  /** Calls back now, or as soon as the batch is through. */
  call<Value>(callback: (value: Value) => void, value: Value): void {
    if (this.#inBatch) this.#calls.push({ callback: callback as (value: unknown) => void, value });
    else callback(value);
  }

  #endBatch(): void {
    this.#inBatch = false;
    if (this.#calls.length === 0) return;
    const calls = this.#calls;
    this.#calls = [];
    for (const { callback, value } of calls) callback(value);
  }

  #onBatch(count: number): void {
    this.turn++;
    this.#inBatch = true;
    const records = this.#records;
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
      const watched = this.#slots[records[at] as number];
      if (watched === undefined) continue;
      const events = records[at + 1] as number;
      if ((events & SERVED) === 0) watched.onEvents(events);
      else watched.onServed(events & ~SERVED, records[at + 2] as number, records[at + 3] as number);
    }
    this.#endBatch();
  }

  #onFlush(): void {
    const senders = this.#senders;
    this.#senders = [];
    this.#inBatch = true;
    const outgoing = (this.#outgoing ??= Buffer.allocUnsafeSlow(OUTGOING_BYTES));
    const batch: Sender[] = [];
    let used = 0;
    for (const sender of senders) {
      if (used + GATHER_BYTES > OUTGOING_BYTES || batch.length === MAX_SENDS) {
        this.#send(batch, outgoing);
        used = 0;
      }
      const bytes = sender.gather(outgoing, used);
      // Nothing gathered: the sender's bytes left another way, or it was closed.
      if (bytes === 0) continue;
      const at = batch.push(sender) * SEND_WORDS - SEND_WORDS;
      this.#sendWords[at] = sender.fd;
      this.#sendWords[at + 1] = used;
      this.#sendWords[at + 2] = bytes;
      used += bytes;
    }
    this.#send(batch, outgoing);
    this.#endBatch();
  }

  #send(batch: Sender[], outgoing: Buffer): void {
    if (batch.length === 0) return;
    native.sendBatch(this.#sendWords, batch.length, outgoing);
    for (let i = 0; i < batch.length; i++) {
      (batch[i] as Sender).onSent(this.#sendWords[i * SEND_WORDS + 3] as number);
    }
    batch.length = 0;
  }

  /** Finds descriptors that are ready although no event came: an injected or lost edge. */
  #watch(): void {
    if (this.#references === 0) {
      clearInterval(this.#watchdog);
      this.#watchdog = undefined;
      return;
    }
    const suspects = new Map<Watched, number>();
    for (let slot = 0; slot < this.#slots.length; slot += POLLED_AT_ONCE) {
      this.#look(slot, suspects);
    }
    this.#suspects = suspects;
  }

  /** Looks at the slots from `first` on. */
  #look(first: number, suspects: Map<Watched, number>): void {
    const count = this.#fillPollWords(first);
    if (count > 0) native.pollMany(this.#pollWords, count);
    for (let i = 0; i < count; i++) {
      const ready = (this.#pollWords[i * 2 + 1] as number) >> 16;
      const watched = this.#slots[this.#pollSlots[i] as number];
      if (ready === 0 || watched === undefined) continue;
      // Ready in two rounds with no event between them; in one round it is but on its way.
      if (this.#suspects.get(watched) === watched.eventCount) this.#lost(watched, ready);
      else suspects.set(watched, watched.eventCount);
    }
  }

  /** Notes what is waited for, and for whom. Gives how many. */
  #fillPollWords(first: number): number {
    const end = Math.min(first + POLLED_AT_ONCE, this.#slots.length);
    let count = 0;
    for (let slot = first; slot < end; slot++) {
      const watched = this.#slots[slot];
      if (watched === undefined) continue;
      watched.rest();
      const events = watched.waitingFor();
      if (events === 0) continue;
      this.#pollWords[count * 2] = watched.fd;
      this.#pollWords[count * 2 + 1] = events;
      this.#pollSlots[count++] = slot;
    }
    return count;
  }

  #lost(watched: Watched, events: number): void {
    if (this.lostEvents++ === 0) {
      process.emitWarning(
        `a readiness event of descriptor ${watched.fd} got lost and was found by polling; further ones are not reported`,
        { code: 'SOCKEYE_LOST_EVENT' },
      );
    }
    watched.onEvents(events);
  }
}

/** The engine of this thread. */
export const engine = new Engine();
