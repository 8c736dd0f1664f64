import type { Address } from '../../address/index.ts';
import { Socket } from '../../socket/index.ts';
import type { DatagramRequest } from '../datagram-request-handler.ts';
import { endStream } from '../end-stream.ts';
import { type HandlerServer, type RequestHandlerClass, runHandler } from '../request-handler.ts';
import { StreamDeadlines } from '../stream-deadlines.ts';
import { reportOf } from './handler-error.ts';
import { loadHandler } from './load-handler.ts';
import type { Job, Report, SocketKind, WorkerSetup } from './messages.ts';

/** A Socket around a descriptor that has come from elsewhere. */
export function adopt(fd: number, { family, type, proto, timeout }: SocketKind): Socket<number> {
  const socket = new Socket<number>(family, type, proto, { fd });
  socket.settimeout(timeout);
  return socket;
}

/** Runs handlers in the thread or process it is in. */
export class HandlerHost implements HandlerServer {
  readonly serverAddress: Address;
  readonly handlerData: unknown;
  readonly #Handler: RequestHandlerClass<Socket<number> | DatagramRequest>;
  readonly #deadlines: StreamDeadlines;
  readonly #report: (report: Report) => void;
  #jobs = 0;
  #onIdle: (() => void) | undefined;

  private constructor(
    setup: WorkerSetup,
    Handler: RequestHandlerClass<Socket<number> | DatagramRequest>,
    report: (report: Report) => void,
  ) {
    this.serverAddress = setup.serverAddress;
    this.handlerData = setup.handlerData;
    this.#Handler = Handler;
    this.#deadlines = new StreamDeadlines(setup.limits);
    this.#report = report;
  }

  /** Loads the handlers and says 'ready', or 'unloadable': then there is no host. */
  static async start(
    setup: WorkerSetup,
    report: (report: Report) => void,
  ): Promise<HandlerHost | undefined> {
    try {
      const Handler = await loadHandler<Socket<number> | DatagramRequest>(setup.handlerModule);
      report({ kind: 'ready' });
      return new HandlerHost(setup, Handler, report);
    } catch (error) {
      report({ kind: 'unloadable', error: reportOf(error) });
      return undefined;
    }
  }

  /**
   * Runs the handler of a job and reports its end.
   *
   * @param socket the connection, which is closed at the end; of a datagram the socket to answer with
   */
  async run(job: Job, socket: Socket<number>): Promise<void> {
    this.#jobs++;
    try {
      if (job.kind === 'stream') await this.#runStream(socket, job.clientAddress);
      else await this.#handle([Buffer.from(job.data), socket], job.clientAddress);
      this.#report({ kind: 'done', id: job.id });
    } catch (error) {
      this.#report({ kind: 'failed', id: job.id, error: reportOf(error) });
    }
    this.#jobs--;
    if (this.#jobs === 0) this.#onIdle?.();
  }

  /** Settles when no handler runs. */
  idle(): Promise<void> {
    if (this.#jobs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      this.#onIdle = resolve;
    });
  }

  async #runStream(socket: Socket<number>, address: Address | null): Promise<void> {
    try {
      await this.#deadlines.watch(socket, address, () => this.#handle(socket, address));
    } finally {
      await endStream(socket);
      socket.close();
    }
  }

  #handle(request: Socket<number> | DatagramRequest, address: Address | null): Promise<void> {
    return runHandler(new this.#Handler(request, address as never, this as never));
  }
}
