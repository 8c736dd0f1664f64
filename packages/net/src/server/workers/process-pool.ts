import { HandlerPool } from './handler-pool.ts';
import { MAX_UNCLAIMED, ProcessWorker } from './process-worker.ts';
import { type ForkingOptions, workerCount } from './worker-options.ts';

/** A pool of child processes for the handlers of a module. */
export function processPool(
  handlerModule: URL | string,
  options: ForkingOptions = {},
): HandlerPool {
  return new HandlerPool(handlerModule, {
    size: workerCount('processes', options.processes),
    maxUnclaimed: MAX_UNCLAIMED,
    start: (setup, events) => new ProcessWorker(setup, events),
  });
}
