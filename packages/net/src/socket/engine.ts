// The thread's side of the poller (packages/native/src/poller.h says how the two work together).
//
// Theory of operation. A descriptor on which an operation waits has a slot. When the poller wakes
// the loop it calls #onBatch once for all events; that settles promises and runs no code of the
// user's. The microtasks after it do, and what they send is queued: sends of one turn leave
// together in #onFlush, which the poller calls before the loop sleeps.

import { native } from '@sockeye/native';
import { POLLIN, POLLOUT } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';

/** What the engine calls when something happens to a watched descriptor. */
export interface Watched {
  readonly fd: number;
  /** The descriptor is ready for `events` (POLLIN, POLLOUT, …). */
  onEvents(events: number): void;
  /** The poller made the call that was armed: bytes, a descriptor, or -errno. */
  onServed(events: number, result: number, offset: number): void;
  /** What operations wait for: POLLIN, POLLOUT, both or 0. */
  waitingFor(): number;
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
/** Sends above this go out from where they lie; below it copying them together is cheaper. */
export const GATHER_BYTES = 32 * 1024;
const OUTGOING_BYTES = 256 * 1024;
const SEND_WORDS = 4;
const MAX_SENDS = 512;
// Two rounds must find the same descriptor ready and unserved: within a second (safety.md 10).
const WATCHDOG_MS = 400;

class Engine {
  /** Bytes that the poller received; valid until the batch's callback returns. */
  slab: Buffer = Buffer.alloc(0);
  /** Grows with every chance that the loop gives to others. */
  turn = 0;
  /** Readiness events that never came and were found by the watchdog. */
  lostEvents = 0;

  #started = false;
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
  #watchdog: NodeJS.Timeout | undefined;
  #suspects = new Set<Watched>();

  /** Watches a descriptor, edge-triggered; returns its slot. */
  watch(watched: Watched, events: number): number {
    this.#start();
    const slot = this.#free.pop() ?? this.#slots.length;
    if (slot * 2 >= this.#control.length) this.#grow(slot + 1);
    const status = native.pollerWatch(slot, watched.fd, events);
    if (status < 0) {
      this.#free.push(slot);
      if (slot === this.#slots.length) this.#slots.push(undefined);
      throw new SocketError('epoll_ctl', -status);
    }
    this.#slots[slot] = watched;
    return slot;
  }

  rewatch(slot: number, events: number): void {
    native.pollerRewatch(slot, events);
  }

  unwatch(slot: number): void {
    this.#slots[slot] = undefined;
    this.#free.push(slot);
    native.pollerUnwatch(slot);
  }

  /** Says what the poller does at the slot's next event; `want` is bytes or connections. */
  arm(slot: number, mode: number, want: number): void {
    this.#control[slot * 2] = mode;
    this.#control[slot * 2 + 1] = want;
  }

  /** One more operation that keeps the process alive. */
  ref(): void {
    this.#start();
    if (this.#references++ === 0) native.pollerRef(true);
    this.#watchdog ??= setInterval(() => this.#watch(), WATCHDOG_MS).unref();
  }

  unref(): void {
    if (--this.#references === 0) native.pollerRef(false);
  }

  /** Has the sender gathered and sent at the end of this turn. */
  sendLater(sender: Sender): void {
    this.#start();
    this.#senders.push(sender);
    if (this.#header[FLUSH_REQUESTED] === 1) return;
    this.#header[FLUSH_REQUESTED] = 1;
    if (this.#header[IN_BATCH] === 0) native.pollerFlush();
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

  #start(): void {
    if (this.#started) return;
    const memory: ArrayBuffer[] = [];
    const status = native.pollerStart(
      (count) => this.#onBatch(count),
      () => this.#onFlush(),
      memory,
    );
    if (status < 0) throw new SocketError('epoll_create1', -status);
    const [header, records, slab] = memory as [ArrayBuffer, ArrayBuffer, ArrayBuffer];
    this.#header = new Int32Array(header);
    this.#records = new Int32Array(records);
    this.slab = Buffer.from(slab);
    this.#started = true;
    this.#grow(FIRST_SLOTS);
  }

  #grow(slots: number): void {
    let size = Math.max(FIRST_SLOTS, this.#control.length / 2);
    while (size < slots) size *= 2;
    this.#control = new Int32Array(native.pollerGrow(size));
  }

  #onBatch(count: number): void {
    this.turn++;
    const records = this.#records;
    for (let at = 0; at < count * RECORD_WORDS; at += RECORD_WORDS) {
      const watched = this.#slots[records[at] as number];
      if (watched === undefined) continue;
      const events = records[at + 1] as number;
      if ((events & SERVED) === 0) watched.onEvents(events);
      else watched.onServed(events & ~SERVED, records[at + 2] as number, records[at + 3] as number);
    }
  }

  #onFlush(): void {
    const senders = this.#senders;
    this.#senders = [];
    this.#outgoing ??= Buffer.allocUnsafeSlow(OUTGOING_BYTES);
    let sends = 0;
    let used = 0;
    let first = 0;
    for (let i = 0; i < senders.length; i++) {
      if (used + GATHER_BYTES > OUTGOING_BYTES || sends === MAX_SENDS) {
        this.#send(senders, first, sends);
        sends = used = 0;
        first = i;
      }
      const sender = senders[i] as Sender;
      const bytes = sender.gather(this.#outgoing, used);
      const at = sends * SEND_WORDS;
      this.#sendWords[at] = bytes === 0 ? -1 : sender.fd;
      this.#sendWords[at + 1] = used;
      this.#sendWords[at + 2] = bytes;
      used += bytes;
      sends++;
    }
    if (sends > 0) this.#send(senders, first, sends);
  }

  #send(senders: Sender[], first: number, count: number): void {
    const words = this.#sendWords;
    native.sendBatch(words, count, this.#outgoing as Buffer);
    for (let i = 0; i < count; i++) {
      // Nothing gathered: the sender's bytes left another way, or it was closed.
      if (words[i * SEND_WORDS + 2] === 0) continue;
      (senders[first + i] as Sender).onSent(words[i * SEND_WORDS + 3] as number);
    }
  }

  /** Finds descriptors that are ready although no event came: an injected or lost edge. */
  #watch(): void {
    if (this.#references === 0) {
      clearInterval(this.#watchdog);
      this.#watchdog = undefined;
      return;
    }
    const waiting = this.#slots.filter(
      (watched) => watched !== undefined && watched.waitingFor() !== 0,
    );
    const set = new Int32Array(waiting.length * 2);
    waiting.forEach((watched, i) => {
      set[i * 2] = (watched as Watched).fd;
      set[i * 2 + 1] = (watched as Watched).waitingFor();
    });
    native.pollMany(set, waiting.length);
    const suspects = new Set<Watched>();
    waiting.forEach((watched, i) => {
      const ready = (set[i * 2 + 1] as number) >> 16;
      if (watched === undefined || ready === 0) return;
      if (!this.#suspects.has(watched)) {
        suspects.add(watched);
        return;
      }
      this.lostEvents++;
      watched.onEvents(ready & (POLLIN | POLLOUT));
    });
    this.#suspects = suspects;
  }
}

/** The engine of this thread. */
export const engine = new Engine();
