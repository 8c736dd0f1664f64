import type { Waiting } from './pending.ts';

/** An attempt's result when the kernel said EAGAIN: the operation waits for readiness. */
export const WOULD_BLOCK: unique symbol = Symbol('would block');

/**
 * An attempt's result when there is nothing to wait for but time: connect(2) on a Unix socket whose
 * listener has a full backlog gives EAGAIN, and no event tells when there is room.
 */
export const TRY_LATER: unique symbol = Symbol('try later');

/** An attempt's result when there is more to do, but others have their turn first. */
export const YIELD: unique symbol = Symbol('yield');

/** An attempt's result while the thread pool works for it; the operation runs its lane after that. */
export const BUSY: unique symbol = Symbol('busy');

export type Attempt<Result> =
  | Result
  | typeof WOULD_BLOCK
  | typeof TRY_LATER
  | typeof YIELD
  | typeof BUSY;

export function isDone<Result>(result: Attempt<Result>): result is Result {
  return result !== WOULD_BLOCK && result !== TRY_LATER && result !== YIELD && result !== BUSY;
}

/** The method of a socket that starts an operation which waits as the socket's own do. */
export const START: unique symbol = Symbol('start');

/** A call on a socket, its arguments checked: what the async and the Sync form share. */
export interface Operation<Result> {
  readonly syscall: string;
  readonly direction: 'read' | 'write';
  /** Makes the system call once. Throws SocketError. */
  attempt(): Attempt<Result>;
  /**
   * Where present, the poller may receive up to `want` bytes itself as soon as they are there;
   * `take` makes the result of them. The bytes are gone when it returns.
   */
  readonly receive?:
    | {
        readonly want: number;
        /** Also where much is expected, which an attempt else receives without a copy. */
        readonly always?: true;
        take(slab: Buffer, offset: number, bytes: number): Result;
      }
    | undefined;
  /** Where present, the result when the socket is closed while the operation waits. */
  readonly whenClosed?: Result | undefined;
  /** Where present, the poller may accept itself. */
  accept?(fd: number, slab: Buffer, offset: number): Result;
  /** The thread blocks for it: from now on nothing is left to the thread pool, no attempt is BUSY. */
  readonly hurry?: () => void;
  /** Adds to the error of an operation that ended early what it had done by then. */
  readonly describe?: (error: Error) => void;
  /** The address that the operation is about, for its errors. */
  readonly address?: unknown;
  /** Keeps what the operation needs and others may overwrite, before it waits. */
  readonly keep?: () => void;
  /**
   * Where present, waits in its lane itself where it is the first, and nothing but the promise's
   * `resolve` is needed: no object of its own, and no `reject`, for a wait that many connections have
   * at once.
   */
  readonly park?: (resolve: (value: never) => void) => Waiting;
  /** What an operation that ends early has taken from the kernel, as its result; else undefined. */
  readonly partial?: () => Result | undefined;
  /**
   * Never waits: in its turn (MSG_DONTWAIT), or whatever waits before it, because it reads the error
   * queue (MSG_ERRQUEUE).
   */
  readonly immediate?: false | 'in turn' | 'error queue';
}
