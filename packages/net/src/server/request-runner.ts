import type { Address } from '../address/index.ts';
import type { HandlerServer } from './request-handler.ts';
import type { ServerLimits } from './server-options.ts';

/** What a runner must know of its server. */
export interface RunnerServer extends HandlerServer {
  readonly limits: ServerLimits;
}

/** Runs handlers elsewhere: in threads or processes. */
export interface RequestRunner<Request> {
  /** Settles when requests can be run; called before each wait for requests. */
  start(server: RunnerServer): Promise<void>;
  /** Runs the handler of a request, which is the runner's from now on; rejects as the handler does. */
  run(request: Request, clientAddress: Address | null): Promise<void>;
  /** Ends threads or processes, with what they still run. */
  close(): Promise<void>;
}
