import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import { close, dup } from '../../socket/index.ts';
import { Claims } from './claims.ts';
import { reportOf } from './handler-error.ts';
import type { HandlerWorker, Task, WorkerEvents } from './handler-worker.ts';
import { inheritedFlags } from './inherited-flags.ts';
import type { Job, Report, SocketKind, WorkerSetup } from './messages.ts';

/** Requests that a thread may have before it has begun with any. */
export const MAX_UNCLAIMED = 16;
/** The id of the message with a datagram server's socket. */
export const SOCKET_ID = 0x7fffffff;

/** What the thread finds in workerData. */
export interface ThreadSetup extends WorkerSetup {
  readonly claims: SharedArrayBuffer;
}

/** What a thread is told. A descriptor travels as its number. */
export type ThreadMessage =
  | { readonly kind: 'run'; readonly job: Job; readonly fd: number; readonly word: number }
  | {
      readonly kind: 'socket';
      readonly socket: SocketKind;
      readonly fd: number;
      readonly word: number;
    }
  | { readonly kind: 'stop' };

/** A worker thread. */
export class ThreadWorker implements HandlerWorker {
  readonly name: string;
  readonly #worker: Worker;
  readonly #claims = new Claims(MAX_UNCLAIMED + 1);
  readonly #words = new Map<number, number>();
  #sharedFd = -1;

  constructor(setup: WorkerSetup, events: WorkerEvents) {
    const entry = new URL(`./thread-entry${extname(import.meta.url)}`, import.meta.url);
    const workerData: ThreadSetup = { ...setup, claims: this.#claims.memory };
    this.#worker = new Worker(entry, { workerData, execArgv: inheritedFlags() });
    this.name = `thread ${this.#worker.threadId}`;
    let failure: unknown;
    this.#worker.on('message', (report: Report) => events.onReport(report));
    this.#worker.on('error', (error) => {
      failure = error;
    });
    this.#worker.on('exit', (code) => {
      this.#takeSharedBack();
      const how =
        failure === undefined ? `ended with code ${code}` : `failed: ${reportOf(failure).message}`;
      events.onExit(new Error(`${this.name} ${how}`, { cause: failure }));
    });
  }

  send(task: Task): void {
    if (task.shared !== undefined && this.#sharedFd < 0) this.#share(task.fd, task.shared);
    const { job, fd } = task;
    const word = this.#claims.offer(job.id);
    this.#words.set(job.id, word);
    this.#post({ kind: 'run', job, fd, word });
  }

  /** A datagram server's socket goes to each thread once, as a duplicate. */
  #share(fd: number, socket: SocketKind): void {
    this.#sharedFd = dup(fd);
    const word = this.#claims.offer(SOCKET_ID);
    this.#words.set(SOCKET_ID, word);
    this.#post({ kind: 'socket', socket, fd: this.#sharedFd, word });
  }

  /** Closes the duplicate if the thread died before it took it. */
  #takeSharedBack(): void {
    const word = this.#words.get(SOCKET_ID);
    if (word !== undefined && this.#claims.recall(word, SOCKET_ID)) close(this.#sharedFd);
  }

  recall({ job: { id } }: Task): boolean {
    const word = this.#words.get(id);
    if (word === undefined || !this.#claims.recall(word, id)) return false;
    this.#words.delete(id);
    return true;
  }

  claimed({ job: { id } }: Task): void {
    const word = this.#words.get(id);
    if (word === undefined) return;
    this.#words.delete(id);
    this.#claims.release(word);
  }

  setReferenced(referenced: boolean): void {
    if (referenced) this.#worker.ref();
    else this.#worker.unref();
  }

  stop(): void {
    this.#post({ kind: 'stop' });
  }

  kill(): void {
    void this.#worker.terminate();
  }

  #post(message: ThreadMessage): void {
    this.#worker.postMessage(message);
  }
}
