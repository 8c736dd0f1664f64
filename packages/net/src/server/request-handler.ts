import type { Address } from '../address/index.ts';

/** What handles one request: any class with these methods, each of which may be async. */
export interface RequestHandler {
  /** Prepares. When it fails neither `handle` nor `finish` is called. */
  setup(): Promise<void> | void;
  handle(): Promise<void> | void;
  /** Cleans up, whatever `handle` did. */
  finish(): Promise<void> | void;
}

/** What a handler sees of its server, wherever it runs. */
export interface HandlerServer {
  /** Where the server listens. */
  readonly serverAddress: Address;
  /** The server's option of that name; a copy in another thread or process. */
  readonly handlerData: unknown;
}

/** A class of handlers; the server makes one for each request. */
export type RequestHandlerClass<Request> = new (
  request: Request,
  // A handler may ask for the types that its server has.
  clientAddress: never,
  server: never,
) => RequestHandler;

/**
 * Runs a handler: `setup`, `handle`, `finish`.
 *
 * @throws what they throw; where `handle` and `finish` both fail, finish's error with the other as
 *   its `cause`, as Python's `__context__` has it
 */
export async function runHandler(handler: RequestHandler): Promise<void> {
  await handler.setup();
  try {
    await handler.handle();
  } catch (error) {
    await finishAfter(handler, error);
    throw error;
  }
  await handler.finish();
}

async function finishAfter(handler: RequestHandler, cause: unknown): Promise<void> {
  try {
    await handler.finish();
  } catch (error) {
    if (error instanceof Error && error.cause === undefined) error.cause = cause;
    throw error;
  }
}
