import { type ChildProcess, fork } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deserialize, serialize } from 'node:v8';
import { AF_UNIX, SOCK_SEQPACKET } from '../../constants/index.ts';
import { SocketError } from '../../errors/index.ts';
import { close, type Socket, sendFds, socketpair } from '../../socket/index.ts';
import { reportOf } from './handler-error.ts';
import type { HandlerWorker, Task, WorkerEvents } from './handler-worker.ts';
import { inheritedFlags } from './inherited-flags.ts';
import type { Job, Report, SocketKind, WorkerSetup } from './messages.ts';

/** Requests that a process may have been offered and has not claimed. */
export const MAX_UNCLAIMED = 16;
/** The descriptor under which the process finds its end of the channel: after stdio and Node's. */
export const CHANNEL_FD = 4;
// The longest of UDP; a Unix datagram may be longer.
const MAX_DATAGRAM_BYTES = 64 * 1024;
/** No message is longer: a datagram and, arbitrarily, 16 KiB for what goes with it. */
export const MAX_MESSAGE_BYTES = MAX_DATAGRAM_BYTES + 16 * 1024;

/** What a process is told. A descriptor travels with the message (SCM_RIGHTS). */
export type ProcessMessage =
  | { readonly kind: 'setup'; readonly setup: WorkerSetup }
  | { readonly kind: 'socket'; readonly socket: SocketKind }
  | { readonly kind: 'offer'; readonly id: number }
  | { readonly kind: 'run'; readonly job: Job };

/**
 * A child process. Node's own channel can't carry a descriptor that isn't a handle of Node's; so
 * there is a Unix socket beside it, of type SOCK_SEQPACKET, which keeps messages apart.
 */
export class ProcessWorker implements HandlerWorker {
  readonly pid: number;
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #channel: Socket<number>;
  readonly #events: WorkerEvents;
  #hasShared = false;

  constructor(setup: WorkerSetup, events: WorkerEvents) {
    // It fails for what can't be cloned: before there is a process.
    const bytes = serialize({ kind: 'setup', setup } satisfies ProcessMessage);
    const entry = new URL(`./process-entry${extname(import.meta.url)}`, import.meta.url);
    const [channel, end] = socketpair<number>(AF_UNIX, SOCK_SEQPACKET);
    this.#channel = channel;
    this.#events = events;
    try {
      this.#child = fork(fileURLToPath(entry), [], {
        execArgv: inheritedFlags(),
        stdio: ['ignore', 'inherit', 'inherit', 'ipc', end.fileno()],
      });
    } finally {
      end.close();
    }
    this.pid = this.#child.pid ?? -1;
    this.name = `process ${this.pid}`;
    void this.#transmit(bytes);
    void this.#watch();
  }

  /** Reports until the process is gone and everything it said is heard. */
  async #watch(): Promise<void> {
    const exited = new Promise<string>((resolve) => {
      this.#child.once('exit', (code, signal) =>
        resolve(signal === null ? `ended with code ${code}` : `was killed by ${signal}`),
      );
      this.#child.once('error', (error) => resolve(`did not start: ${error.message}`));
    });
    await this.#listen();
    const how = await exited;
    this.#channel.close();
    this.#events.onExit(new Error(`${this.name} ${how}`));
  }

  async #listen(): Promise<void> {
    try {
      for (;;) {
        const bytes = await this.#channel.recv(MAX_MESSAGE_BYTES);
        if (bytes.length === 0) return;
        this.#events.onReport(deserialize(bytes) as Report);
      }
    } catch (error) {
      // ECONNRESET: the process died with messages unread. That is an end, too.
      if (!(error instanceof SocketError)) throw error;
    }
  }

  /** What is in the channel can't be taken back: so a request stays here until it is claimed. */
  send({ job: { id } }: Task): void {
    void this.#send({ kind: 'offer', id });
  }

  recall(): boolean {
    return true;
  }

  claimed({ job, fd, shared }: Task): void {
    if (job.kind === 'stream') {
      void this.#send({ kind: 'run', job }, fd).finally(() => close(fd));
      return;
    }
    if (job.data.length > MAX_DATAGRAM_BYTES) {
      this.#refuse(job.id, job.data.length);
      return;
    }
    if (shared !== undefined && !this.#hasShared) {
      this.#hasShared = true;
      void this.#send({ kind: 'socket', socket: shared }, fd);
    }
    void this.#send({ kind: 'run', job });
  }

  #refuse(id: number, size: number): void {
    const message = `Cannot send to ${this.name}: datagram of ${size} bytes exceeds ${MAX_DATAGRAM_BYTES}`;
    const error = reportOf(new RangeError(message));
    queueMicrotask(() => this.#events.onReport({ kind: 'failed', id, error }));
  }

  setReferenced(referenced: boolean): void {
    if (referenced) {
      this.#child.ref();
      this.#channel.ref();
    } else {
      this.#child.unref();
      this.#child.channel?.unref();
      this.#channel.unref();
    }
  }

  /** The end of its channel is the end of a process. */
  stop(): void {
    if (!this.#channel.closed) this.#channel.shutdown(1);
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  #send(message: ProcessMessage, fd?: number): Promise<void> {
    return this.#transmit(serialize(message), fd);
  }

  async #transmit(bytes: Buffer, fd?: number): Promise<void> {
    try {
      if (fd === undefined) await this.#channel.sendmsg([bytes]);
      else await sendFds(this.#channel, [bytes], [fd]);
    } catch (error) {
      // A process that takes nothing any more: its exit says the rest. Anything else must not hang.
      if (!(error instanceof SocketError) || error.code === 'EMSGSIZE') this.kill();
    }
  }
}
