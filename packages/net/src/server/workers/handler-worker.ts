import type { Job, Report, SocketKind } from './messages.ts';

/** A request in the pool's hands. */
export interface Task {
  readonly job: Job;
  /** A connection's descriptor, which nobody else has; of a datagram the server's socket's. */
  readonly fd: number;
  /** Of a datagram: what the server's socket is. */
  readonly shared: SocketKind | undefined;
}

/** What a worker tells the pool. */
export interface WorkerEvents {
  onReport(report: Report): void;
  /** The thread or process is gone. */
  onExit(reason: Error): void;
}

/** A thread or a process that runs handlers. */
export interface HandlerWorker {
  /** Such as 'thread 3'. */
  readonly name: string;
  /** Sends a request. */
  send(task: Task): void;
  /** Takes a request back that isn't claimed; false when it may be any moment. */
  recall(task: Task): boolean;
  /** The worker has claimed a request: its descriptor is not needed here any more. */
  claimed(task: Task): void;
  /** Whether the worker keeps the process alive. */
  setReferenced(referenced: boolean): void;
  /** Asks the worker to end when its handlers are done. */
  stop(): void;
  /** Ends it now. */
  kill(): void;
}

/** Starts a worker. */
export type StartWorker = (events: WorkerEvents) => HandlerWorker;
