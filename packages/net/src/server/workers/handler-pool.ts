// A bounded pool of threads or processes that run handlers.
//
// Theory of operation. A request goes to the worker that has the fewest unbegun requests and, of
// those, the fewest in all. A worker claims a request when it begins with it. One that computes
// claims nothing; what it was sent meanwhile is recalled after RECALL_MS and goes to another, where
// a worker can be recalled from. A worker that dies is replaced: what it hadn't claimed goes to
// others, what it had is reported as failed.

import type { Address } from '../../address/index.ts';
import { invalidState } from '../../errors/index.ts';
import { close, dup, type Socket } from '../../socket/index.ts';
import type { DatagramRequest } from '../datagram-request-handler.ts';
import type { RequestRunner, RunnerServer } from '../request-runner.ts';
import { RetryPause } from '../retry-pause.ts';
import { HandlerError } from './handler-error.ts';
import type { HandlerWorker, Task, WorkerEvents } from './handler-worker.ts';
import { moduleUrl } from './load-handler.ts';
import type { Job, Report, SocketKind, WorkerSetup } from './messages.ts';

// Arbitrary: a claim takes well under a millisecond when the worker doesn't compute.
const RECALL_MS = 20;
// How long a worker gets to end by itself, once its handlers are done or given up.
const STOP_MS = 1_000;
const MAX_ID = 0x7ffffffe;

/** How a pool makes its workers, and how many. */
export interface PoolKind {
  readonly size: number;
  /** Requests that a worker may have that it hasn't begun with. */
  readonly maxUnclaimed: number;
  start(setup: WorkerSetup, events: WorkerEvents): HandlerWorker;
}

interface Entry extends Task {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
  member: Member | undefined;
  claimed: boolean;
  sentAt: number;
}

/** A worker with what it has to do. */
interface Member {
  readonly worker: HandlerWorker;
  readonly entries: Map<number, Entry>;
  unclaimed: number;
  isReady: boolean;
}

type Request = Socket<number> | DatagramRequest;

/** Runs handlers in threads or processes. */
export class HandlerPool implements RequestRunner<Request> {
  readonly #module: string;
  readonly #kind: PoolKind;
  readonly #members = new Set<Member>();
  readonly #queue: Entry[] = [];
  readonly #pause = new RetryPause();
  readonly #closing = new AbortController();
  #setup: WorkerSetup | undefined;
  #ready: Promise<void> | undefined;
  #hasStarted = false;
  #onReady: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #lastId = 0;
  #sharedFd = -1;
  #recalls: NodeJS.Timeout | undefined;
  #onEmpty: (() => void) | undefined;

  constructor(handlerModule: URL | string, kind: PoolKind) {
    this.#module = moduleUrl(handlerModule);
    this.#kind = kind;
  }

  // ── workers ────────────────────────────────────────────────────────────────────────────────────

  /** Starts the workers; settles when all are ready, rejects when the module can't be loaded. */
  start(server: RunnerServer): Promise<void> {
    if (this.#closing.signal.aborted)
      return Promise.reject(invalidState('Cannot serve: the server is closed'));
    const { limits, serverAddress, handlerData } = server;
    this.#setup = { handlerModule: this.#module, limits, serverAddress, handlerData };
    this.#ready ??= new Promise((resolve, reject) => {
      this.#onReady = { resolve, reject };
      for (let i = this.#members.size; i < this.#kind.size; i++) this.#addMember(this.#setup);
    });
    return this.#ready;
  }

  #addMember(setup: WorkerSetup | undefined): void {
    if (setup === undefined) return;
    const member: Member = {
      worker: this.#kind.start(setup, {
        onReport: (report) => this.#onReport(member, report),
        onExit: (reason) => this.#onExit(member, reason),
      }),
      entries: new Map(),
      unclaimed: 0,
      isReady: false,
    };
    this.#members.add(member);
    this.#reference(member);
  }

  get #readyCount(): number {
    let count = 0;
    for (const { isReady } of this.#members) if (isReady) count++;
    return count;
  }

  #onReport(member: Member, report: Report): void {
    switch (report.kind) {
      case 'ready':
        member.isReady = true;
        this.#hasStarted = true;
        this.#pause.reset();
        if (this.#readyCount === this.#kind.size) this.#onReady?.resolve();
        this.#reference(member);
        break;
      case 'unloadable':
        this.#onUnloadable(new HandlerError(report.error));
        break;
      case 'claimed':
        this.#onClaimed(member, report.id);
        break;
      case 'done':
        this.#finish(member, report.id)?.resolve();
        break;
      case 'failed':
        this.#finish(member, report.id)?.reject(new HandlerError(report.error));
        break;
    }
    this.#dispatch();
  }

  /** At the first start that is an error; later the next worker may do better. */
  #onUnloadable(error: Error): void {
    if (this.#hasStarted) {
      process.emitWarning(`a worker did not start again: ${error.message}`, {
        type: 'SockeyeServerWarning',
        code: 'SOCKEYE_WORKER',
      });
      return;
    }
    this.#onReady?.reject(error);
    this.#ready = undefined;
  }

  #onExit(member: Member, reason: Error): void {
    this.#members.delete(member);
    for (const entry of member.entries.values()) this.#onOrphan(entry, reason);
    if (this.#members.size === 0) this.#onEmpty?.();
    if (!member.isReady) this.#onUnloadable(reason);
    // A pool whose start failed waits for the next one.
    if (this.#closing.signal.aborted || this.#ready === undefined) return;
    if (member.isReady) this.#addMember(this.#setup);
    else void this.#pause.wait(this.#closing.signal).then(() => this.#refill());
    this.#dispatch();
  }

  #refill(): void {
    if (this.#closing.signal.aborted || this.#members.size >= this.#kind.size) return;
    this.#addMember(this.#setup);
  }

  #onOrphan(entry: Entry, reason: Error): void {
    const { member } = entry;
    if (!entry.claimed && member?.worker.recall(entry) === true) {
      entry.member = undefined;
      this.#queue.unshift(entry);
      return;
    }
    entry.reject(new Error(`Cannot finish the request: ${reason.message}`, { cause: reason }));
  }

  // ── requests ───────────────────────────────────────────────────────────────────────────────────

  run(request: Request, clientAddress: Address | null): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#lastId = (this.#lastId % MAX_ID) + 1;
      const task = Array.isArray(request)
        ? this.#datagramTask(this.#lastId, request, clientAddress)
        : streamTask(this.#lastId, request, clientAddress);
      this.#queue.push({ ...task, resolve, reject, member: undefined, claimed: false, sentAt: 0 });
      this.#dispatch();
    });
  }

  #datagramTask(id: number, [data, socket]: DatagramRequest, clientAddress: Address | null): Task {
    // The server may close its own while datagrams wait here.
    if (this.#sharedFd < 0) this.#sharedFd = dup(socket.fileno());
    const job: Job = { kind: 'datagram', id, data, clientAddress };
    return { job, fd: this.#sharedFd, shared: kindOf(socket, null) };
  }

  #dispatch(): void {
    while (this.#queue.length > 0) {
      const member = this.#leastBusy();
      if (member === undefined) break;
      this.#send(this.#queue.shift() as Entry, member);
    }
  }

  #leastBusy(): Member | undefined {
    let best: Member | undefined;
    for (const member of this.#members) {
      if (!member.isReady || member.unclaimed >= this.#kind.maxUnclaimed) continue;
      if (best === undefined || isLessBusy(member, best)) best = member;
    }
    return best;
  }

  #send(entry: Entry, member: Member): void {
    entry.member = member;
    entry.sentAt = performance.now();
    member.entries.set(entry.job.id, entry);
    member.unclaimed++;
    this.#reference(member);
    member.worker.send(entry);
    this.#recalls ??= setInterval(() => this.#recall(), RECALL_MS).unref();
  }

  #onClaimed(member: Member, id: number): void {
    const entry = member.entries.get(id);
    if (entry === undefined || entry.claimed) return;
    entry.claimed = true;
    member.unclaimed--;
    member.worker.claimed(entry);
  }

  #finish(member: Member, id: number): Entry | undefined {
    const entry = member.entries.get(id);
    if (entry === undefined) return undefined;
    // A request that was refused before it left was never claimed.
    if (!entry.claimed) member.unclaimed--;
    member.entries.delete(id);
    this.#reference(member);
    return entry;
  }

  /** A worker with something to do, or that is only starting, keeps the process alive. */
  #reference({ worker, entries, isReady }: Member): void {
    worker.setReferenced(!isReady || entries.size > 0);
  }

  // ── recalls ────────────────────────────────────────────────────────────────────────────────────

  /** Moves what a worker hasn't begun with in time to workers that have nothing unbegun. */
  #recall(): void {
    const overdue = performance.now() - RECALL_MS;
    let unclaimed = 0;
    for (const member of this.#members) {
      unclaimed += member.unclaimed;
      if (member.unclaimed > 0) this.#recallFrom(member, overdue);
    }
    if (unclaimed > 0) return;
    clearInterval(this.#recalls);
    this.#recalls = undefined;
  }

  #recallFrom(member: Member, overdue: number): void {
    for (const entry of member.entries.values()) {
      if (entry.claimed || entry.sentAt > overdue) continue;
      const other = this.#leastBusy();
      if (other === undefined || other.unclaimed > 0) return;
      if (!member.worker.recall(entry)) continue;
      member.entries.delete(entry.job.id);
      member.unclaimed--;
      this.#reference(member);
      this.#send(entry, other);
    }
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────

  async close(): Promise<void> {
    this.#closing.abort();
    for (const entry of this.#queue.splice(0)) {
      if (entry.shared === undefined) close(entry.fd);
      entry.reject(invalidState('Cannot run the request: the server is closed'));
    }
    clearInterval(this.#recalls);
    if (this.#sharedFd >= 0) close(this.#sharedFd);
    this.#sharedFd = -1;
    if (this.#members.size === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#onEmpty = resolve;
    });
    for (const { worker, entries } of this.#members) {
      worker.setReferenced(true);
      // What still runs has had the server's drain time. A worker that is loading its module gets
      // STOP_MS: a thread is better not terminated in the middle of that.
      if (entries.size > 0) worker.kill();
      else worker.stop();
    }
    const timer = setTimeout(() => this.#kill(), STOP_MS);
    await empty;
    clearTimeout(timer);
  }

  #kill(): void {
    for (const { worker } of this.#members) worker.kill();
  }
}

function isLessBusy(one: Member, other: Member): boolean {
  if (one.unclaimed !== other.unclaimed) return one.unclaimed < other.unclaimed;
  return one.entries.size < other.entries.size;
}

function kindOf({ family, type, proto }: Socket<number>, timeout: number | null): SocketKind {
  return { family, type, proto, timeout };
}

function streamTask(id: number, request: Socket<number>, clientAddress: Address | null): Task {
  const socket = kindOf(request, request.gettimeout());
  // Non-blocking it stays, then, which the next to adopt it wants.
  request.setblocking(false);
  const fd = request.detach();
  if (fd < 0) throw invalidState('Cannot run the request: its socket is closed');
  const job: Job = { kind: 'stream', id, socket, clientAddress };
  return { job, fd, shared: undefined };
}
