import { EAGAIN, ETIMEDOUT } from '../../constants/index.ts';
import { SocketError, TimeoutError } from '../../errors/index.ts';
import type { FileProcess, FileStep } from './file-process.ts';

interface Waiting {
  readonly signal?: AbortSignal | undefined;
}

/** What a file needs of its socket. */
export interface FileSocket {
  recvInto(buffer: Uint8Array, size: number, flags: number, options: Waiting): Promise<number>;
  recvIntoSync(buffer: Uint8Array, size: number, flags: number): number;
  send(data: Uint8Array, flags: number, options: Waiting): Promise<number>;
  sendSync(data: Uint8Array, flags: number): number;
  fileno(): number;
}

/** Makes the calls of a file's processes. After a timeout it receives no more. */
export class RawFile {
  readonly #socket: FileSocket;
  #timedOut = false;

  constructor(socket: FileSocket) {
    this.#socket = socket;
  }

  fileno(): number {
    return this.#socket.fileno();
  }

  /** Runs a process, waiting for each of its calls. */
  async run<Result>(process: FileProcess<Result>, signal?: AbortSignal): Promise<Result> {
    signal?.throwIfAborted();
    let step = process.next();
    while (!step.done) {
      let outcome: number | null;
      try {
        outcome = await this.#call(step.value, signal);
      } catch (error) {
        const result = this.#resultOf(step.value, error);
        step = result === undefined ? process.throw(error) : process.next(result);
        continue;
      }
      step = process.next(outcome);
    }
    return step.value;
  }

  /** Runs a process, blocking the thread. */
  runSync<Result>(process: FileProcess<Result>): Result {
    let step = process.next();
    while (!step.done) {
      let outcome: number | null;
      try {
        outcome = this.#callSync(step.value);
      } catch (error) {
        const result = this.#resultOf(step.value, error);
        step = result === undefined ? process.throw(error) : process.next(result);
        continue;
      }
      step = process.next(outcome);
    }
    return step.value;
  }

  #call(step: FileStep, signal: AbortSignal | undefined): Promise<number> {
    if (step.kind === 'write') return this.#socket.send(step.data, 0, { signal });
    this.#checkTimedOut();
    return this.#socket.recvInto(step.buffer, step.buffer.length, step.flags, { signal });
  }

  #callSync(step: FileStep): number {
    if (step.kind === 'write') return this.#socket.sendSync(step.data, 0);
    this.#checkTimedOut();
    return this.#socket.recvIntoSync(step.buffer, step.buffer.length, step.flags);
  }

  #checkTimedOut(): void {
    if (!this.#timedOut) return;
    throw new SocketError('recv', ETIMEDOUT, { reason: 'cannot read from timed out object' });
  }

  /** null for a call that would wait; undefined for every other failure. */
  #resultOf(step: FileStep, error: unknown): null | undefined {
    if (error instanceof TimeoutError && step.kind === 'read') this.#timedOut = true;
    return error instanceof SocketError && error.errno === EAGAIN ? null : undefined;
  }
}
