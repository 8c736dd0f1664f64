// What socketserver's servers share: waiting for requests, and seeing each to its end.
//
// Theory of operation. `serveForever` waits for requests and starts each without waiting for its
// end; `concurrency` and `maxConnections` bound how many run, and what finds no room waits in the
// kernel. A request passes through the methods that Python has for it:
//
//   getRequest → verifyRequest → processRequest → finishRequest (the handler) → shutdownRequest
//                      │ false                          │ throws
//                      └→ shutdownRequest               └→ handleError → shutdownRequest

import { once } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Address } from '../address/index.ts';
import { POLLIN, SOCK_STREAM } from '../constants/index.ts';
import {
  invalidState,
  invalidType,
  outOfRange,
  SocketError,
  TimeoutError,
} from '../errors/index.ts';
import type { Socket, WaitOptions } from '../socket/index.ts';
import { descriptorOf } from '../socket/socket.ts';
import { ConnectionTimeoutError } from './connection-timeout-error.ts';
import { PeerFilter } from './peer-filter.ts';
import { type HandlerServer, type RequestHandlerClass, runHandler } from './request-handler.ts';
import type { RequestRunner } from './request-runner.ts';
import { RetryPause } from './retry-pause.ts';
import { ServerLog } from './server-log.ts';
import { type ServerLimits, serverLimits } from './server-options.ts';
import { checkSocketServerOptions, type SocketServerOptions } from './socket-server-options.ts';

/** A request and where it came from. */
export type Received<Request> = readonly [request: Request, clientAddress: Address | null];

/** Who handles requests: a class, here; or a runner, elsewhere. */
export type RequestHandling<Request> = RequestHandlerClass<Request> | RequestRunner<Request>;

/**
 * The server that the others extend. Methods may be overridden as in Python, and may be async.
 *
 * Source: Python's socketserver.BaseServer.
 */
export abstract class BaseServer<Request, ServerAddress extends Address = Address>
  implements HandlerServer, AsyncDisposable
{
  /** How long `handleRequest` waits, in seconds; null for ever. The instance's starts as this. */
  static timeout: number | null = null;

  abstract readonly socket: Socket<number>;
  serverAddress: ServerAddress;
  timeout: number | null;
  readonly handlerData: unknown;
  /** The class of handlers; null where they run in threads or processes. */
  readonly RequestHandlerClass: RequestHandlerClass<Request> | null;
  /** The options of the server with their defaults. */
  readonly limits: ServerLimits;
  #runner: RequestRunner<Request> | undefined;
  #filter: PeerFilter;
  #log: ServerLog;
  #tasks = new Map<Request, Promise<void>>();
  #room: number;
  #onRoom: (() => void) | undefined;
  #pause = new RetryPause();
  #shutdownRequested = false;
  #stop: AbortController | undefined;
  #isServing = false;
  #served: Promise<void> = Promise.resolve();
  #failure: { readonly error: unknown } | undefined;
  #closing: Promise<void> | undefined;
  #ended = false;

  constructor(
    serverAddress: ServerAddress,
    handling: RequestHandling<Request>,
    options: SocketServerOptions = {},
  ) {
    checkSocketServerOptions(options);
    this.serverAddress = serverAddress;
    this.timeout = new.target.timeout;
    this.handlerData = options.handlerData;
    this.RequestHandlerClass = typeof handling === 'function' ? handling : null;
    this.#runner = typeof handling === 'function' ? undefined : checkRunner(handling);
    this.limits = serverLimits(options);
    this.#log = new ServerLog(this, options.logger);
    this.#room = Math.min(this.limits.maxConnections, this.limits.concurrency);
    this.#filter = new PeerFilter(
      options.allow,
      options.deny,
      this.limits.maxConnectionsPerAddress,
    );
    options.signal?.throwIfAborted();
    options.signal?.addEventListener('abort', () => void this.serverClose(), { once: true });
  }

  /** Requests that are being handled now. */
  get connections(): number {
    return this.#tasks.size;
  }

  /** What a wait for requests must obey: it ends at `shutdown`. */
  protected get waitOptions(): WaitOptions {
    return { signal: this.#stop?.signal };
  }

  /** The descriptor of the server's socket; -1 once closed. */
  fileno(): number {
    return this.socket.fileno();
  }

  // ── serving ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Handles requests until `shutdown`, many at a time. `timeout` doesn't count here.
   *
   * @param pollInterval seconds between calls of `serviceActions` while no request comes
   * @returns settles when no more requests are taken; handlers that run go on (see `serverClose`)
   * @throws Error ERR_INVALID_STATE when serving already; what `handleError` or `serviceActions`
   *   throws; where handlers run elsewhere, that their module can't be loaded
   */
  async serveForever(pollInterval: number = 0.5): Promise<void> {
    if (typeof pollInterval !== 'number')
      throw invalidType('pollInterval', 'a number', pollInterval);
    if (!(pollInterval > 0)) throw outOfRange('pollInterval', 'more than 0', pollInterval);
    if (this.#isServing) throw invalidState('Cannot serve: the server serves already');
    this.#isServing = true;
    const stop = new AbortController();
    this.#stop = stop;
    const serving = this.#serve(stop, pollInterval);
    this.#served = serving.catch(() => undefined);
    return serving;
  }

  async #serve(stop: AbortController, pollInterval: number): Promise<void> {
    const timer = this.#startServiceActions(pollInterval);
    this.#log.listening(this.serverAddress);
    try {
      // A module may take its time to load, or for ever.
      if (this.#runner !== undefined)
        await Promise.race([this.#runner.start(this), once(stop.signal, 'abort')]);
      while (!this.#shutdownRequested && !this.socket.closed) await this.#serveOne(stop.signal);
      if (this.#failure !== undefined) throw this.#failure.error;
    } finally {
      clearInterval(timer);
      this.#shutdownRequested = false;
      this.#failure = undefined;
      this.#isServing = false;
      this.#stop = undefined;
    }
  }

  async #serveOne(stop: AbortSignal): Promise<void> {
    if (this.#room <= 0) {
      await this.#waitForRoom(stop);
      return;
    }
    const received = await this.#next(stop);
    if (received === undefined) return;
    const task = this.#begin(received);
    task.catch((error: unknown) => this.#onFailure(error));
    await this.serviceActions();
  }

  /** Python's loop calls serviceActions at every poll; without one of its own no timer is needed. */
  #startServiceActions(pollInterval: number): NodeJS.Timeout | undefined {
    if (this.serviceActions === BaseServer.prototype.serviceActions) return undefined;
    const act = async (): Promise<void> => this.serviceActions();
    return setInterval(() => {
      act().catch((error: unknown) => this.#onFailure(error));
    }, pollInterval * 1000);
  }

  /** The next request; undefined when there is none after all. */
  async #next(stop: AbortSignal): Promise<Received<Request> | undefined> {
    try {
      // The server's own timeout is not for this: Python asks a selector first.
      if (this.socket.gettimeout() !== null) await this.#readable(null, stop);
      const received = await this.getRequest();
      this.#pause.reset();
      return received;
    } catch (error) {
      if (stop.aborted || this.socket.closed || error instanceof TimeoutError) return undefined;
      if (!(error instanceof SocketError)) throw error;
      // No descriptor or memory is free, or the like: safety.md 8.
      this.#onPause(error);
      await this.#pause.wait(stop);
      return undefined;
    }
  }

  #onPause(error: SocketError): void {
    this.#log.paused(error, this.#pause.nextMs);
    if (this.#log.isOn || !this.#pause.isWarningDue()) return;
    warn(`accepting pauses for ${this.#pause.nextMs} ms`, error.message, 'SOCKEYE_EXHAUSTED');
  }

  #readable(timeout: number | null, signal?: AbortSignal): Promise<number> {
    const wait = { timeout, signal, owner: this.socket };
    return descriptorOf(this.socket).poll(POLLIN, wait);
  }

  #waitForRoom(stop: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        stop.removeEventListener('abort', end);
        this.#onRoom = undefined;
        resolve();
      };
      this.#onRoom = end;
      stop.addEventListener('abort', end);
      if (stop.aborted) end();
    });
  }

  /** `handleError` or `serviceActions` failed: the end of a server, as in Python. */
  #onFailure(error: unknown): void {
    if (!this.#isServing || this.#runner !== undefined) {
      warn('handleError failed', error);
      return;
    }
    this.#failure ??= { error };
    void this.shutdown();
  }

  /**
   * Has `serveForever` take no more requests. Called before it, has it return at once.
   *
   * @returns settles when it has
   */
  shutdown(): Promise<void> {
    this.#shutdownRequested = true;
    this.#stop?.abort();
    return this.#isServing ? this.#served : Promise.resolve();
  }

  /**
   * Handles one request. Calls `handleTimeout` instead when none came within `timeout`, or within
   * the socket's own, whichever is less.
   *
   * @returns settles when the request is done; where handlers run elsewhere, when it has begun
   * @throws what `handleError` throws
   */
  async handleRequest(): Promise<void> {
    await this.#runner?.start(this);
    const timeouts = [this.socket.gettimeout(), this.timeout].filter((timeout) => timeout !== null);
    try {
      await this.#readable(timeouts.length === 0 ? null : Math.min(...timeouts));
    } catch (error) {
      if (!isTimeout(error)) throw error;
      await this.handleTimeout();
      return;
    }
    const received = await this.#received();
    if (received === undefined) return;
    const task = this.#begin(received);
    if (this.#runner === undefined) await task;
    else task.catch((error: unknown) => this.#onFailure(error));
  }

  async #received(): Promise<Received<Request> | undefined> {
    try {
      return await this.getRequest();
    } catch (error) {
      if (error instanceof SocketError) return undefined;
      throw error;
    }
  }

  // ── a request ──────────────────────────────────────────────────────────────────────────────────

  #begin([request, clientAddress]: Received<Request>): Promise<void> {
    this.#room--;
    const task = this.#process(request, clientAddress).finally(() => {
      this.#tasks.delete(request);
      this.#room++;
      this.#onRoom?.();
    });
    this.#tasks.set(request, task);
    return task;
  }

  async #process(request: Request, clientAddress: Address | null): Promise<void> {
    const reason = this.#filter.enter(clientAddress);
    if (reason !== undefined) {
      this.#log.refused(reason, clientAddress);
      await this.shutdownRequest(request);
      return;
    }
    const startedAt = performance.now();
    this.#log.opened({ request }, clientAddress);
    try {
      if (await this.verifyRequest(request, clientAddress))
        await this.processRequest(request, clientAddress);
      else await this.shutdownRequest(request);
    } catch (error) {
      await this.#failed(error, request, clientAddress);
    } finally {
      this.#filter.leave(clientAddress);
      const how = { ageMs: performance.now() - startedAt };
      this.#log.ended({ request }, clientAddress, how, this.socket.type !== SOCK_STREAM);
    }
  }

  async #failed(error: unknown, request: Request, clientAddress: Address | null): Promise<void> {
    this.#log.failed({ request }, clientAddress, error, isDeadline(error));
    try {
      // What a handler says after the server ended its connection is of no use to anybody.
      if (!this.#ended) await this.handleError(error, request, clientAddress);
    } finally {
      await this.shutdownRequest(request);
    }
  }

  /** Takes the next request from the socket. It must end its wait as `waitOptions` says. */
  abstract getRequest(): Promise<Received<Request>> | Received<Request>;

  /** Whether a request is to be handled; false closes it. Default true. */
  verifyRequest(_request: Request, _clientAddress: Address | null): Promise<boolean> | boolean {
    return true;
  }

  /** Sees a request through: `finishRequest`, then `shutdownRequest`. */
  async processRequest(request: Request, clientAddress: Address | null): Promise<void> {
    await this.finishRequest(request, clientAddress);
    await this.shutdownRequest(request);
  }

  /** Makes a handler for the request and runs it. */
  async finishRequest(request: Request, clientAddress: Address | null): Promise<void> {
    if (this.RequestHandlerClass === null) {
      await this.#runner?.run(request, clientAddress);
      return;
    }
    const Handler = this.RequestHandlerClass;
    await runHandler(new Handler(request, clientAddress as never, this as never));
  }

  /** Ends a request in good order, after whatever happened to it. */
  shutdownRequest(request: Request): Promise<void> | void {
    return this.closeRequest(request);
  }

  /** Closes what belongs to a request. */
  closeRequest(_request: Request): Promise<void> | void {
    // A request has nothing to close by itself.
  }

  /** Ends a request under its handler. */
  protected abortRequest(request: Request): Promise<void> | void {
    return this.closeRequest(request);
  }

  // ── what happens besides ───────────────────────────────────────────────────────────────────────

  /**
   * Hears of what a handler threw. The default is a process warning with the stack, unless there is
   * a logger; the deadlines of the server, which are no mistake of the handler's, pass without.
   *
   * What it throws itself ends `serveForever`, or rejects `handleRequest`.
   */
  handleError(
    error: unknown,
    _request: Request,
    clientAddress: Address | null,
  ): Promise<void> | void {
    if (isDeadline(error) || this.#log.isOn) return;
    warn(`the handler of a request from ${JSON.stringify(clientAddress)} failed`, error);
  }

  /** Called by `handleRequest` when no request came in time. */
  handleTimeout(): Promise<void> | void {
    // Nothing to do about it.
  }

  /** Called by `serveForever` after each request and every `pollInterval`. */
  serviceActions(): Promise<void> | void {
    // There are none.
  }

  /** Called by the constructor when the socket is bound. */
  serverActivate(): void {
    // Nothing to activate.
  }

  // ── the end ────────────────────────────────────────────────────────────────────────────────────

  /**
   * Closes the server: it listens no more from now on, and `serveForever` ends.
   *
   * @returns settles when the handlers are done; those that aren't after `drainTimeoutMs` lose
   *   their connections, threads and processes then
   */
  serverClose(): Promise<void> {
    this.#closing ??= this.#close().finally(() => this.#log.closed());
    return this.#closing;
  }

  async #close(): Promise<void> {
    // A request that was taken as it ended is being handled afterwards, and not lost.
    if (this.#isServing) await this.shutdown();
    this.#log.draining(this.#tasks.size);
    await this.#drain();
    await this.#runner?.close();
  }

  /** `serverClose`, by the name that it has for `serve`'s servers. */
  drain(): Promise<void> {
    return this.serverClose();
  }

  async #drain(): Promise<void> {
    if (this.#tasks.size === 0) return;
    const all = Promise.allSettled(this.#tasks.values());
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<void>((resolve) => {
      // setTimeout has no Infinity.
      timer = setTimeout(resolve, Math.min(this.limits.drainTimeoutMs, 0x7fffffff));
    });
    await Promise.race([all, timeout]);
    clearTimeout(timer);
    if (this.#tasks.size === 0) return;
    this.#ended = true;
    for (const request of this.#tasks.keys()) await this.abortRequest(request);
    // What waited for its connection ends by that; a handler that waits for something else may stay.
    await Promise.race([all, setImmediate()]);
  }

  /** `serverClose`. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.serverClose();
  }
}

function checkRunner<Request>(runner: RequestRunner<Request>): RequestRunner<Request> {
  if (typeof runner === 'object' && runner !== null && typeof runner.run === 'function')
    return runner;
  throw invalidType('RequestHandlerClass', 'a class', runner);
}

function isTimeout(error: unknown): boolean {
  // EAGAIN: a timeout of 0.
  return error instanceof SocketError && (error instanceof TimeoutError || error.code === 'EAGAIN');
}

function isDeadline(error: unknown): boolean {
  // From another thread it comes as a HandlerError of that name.
  return error instanceof Error && error.name === ConnectionTimeoutError.name;
}

function warn(what: string, error: unknown, code = 'SOCKEYE_UNHANDLED'): void {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.emitWarning(`${what}: ${text}`, {
    type: 'SockeyeServerWarning',
    code,
  });
}
