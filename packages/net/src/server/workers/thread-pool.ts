import { HandlerPool } from './handler-pool.ts';
import { MAX_UNCLAIMED, ThreadWorker } from './thread-worker.ts';
import { type ThreadingOptions, workerCount } from './worker-options.ts';

/** A pool of worker threads for the handlers of a module. */
export function threadPool(
  handlerModule: URL | string,
  options: ThreadingOptions = {},
): HandlerPool {
  return new HandlerPool(handlerModule, {
    size: workerCount('threads', options.threads),
    maxUnclaimed: MAX_UNCLAIMED,
    start: (setup, events) => new ThreadWorker(setup, events),
  });
}
