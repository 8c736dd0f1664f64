import type { Address } from '../../address/index.ts';
import type { ServerLimits } from '../server-options.ts';
import type { ErrorReport } from './handler-error.ts';

/** How a Socket is made of a descriptor again. */
export interface SocketKind {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
  /** Seconds, as gettimeout() gave them. */
  readonly timeout: number | null;
}

/** What a worker is told when it starts. */
export interface WorkerSetup {
  /** The URL of the module whose default export is the class of handlers. */
  readonly handlerModule: string;
  readonly limits: ServerLimits;
  readonly serverAddress: Address;
  readonly handlerData: unknown;
}

/** A request on its way to a worker. Its descriptor travels beside it. */
export type Job =
  | {
      readonly kind: 'stream';
      readonly id: number;
      readonly socket: SocketKind;
      readonly clientAddress: Address | null;
    }
  | {
      readonly kind: 'datagram';
      readonly id: number;
      readonly data: Uint8Array;
      readonly clientAddress: Address | null;
    };

/** What a worker tells. */
export type Report =
  | { readonly kind: 'ready' }
  | { readonly kind: 'unloadable'; readonly error: ErrorReport }
  /** The worker has begun; the request is its own from now on. */
  | { readonly kind: 'claimed'; readonly id: number }
  | { readonly kind: 'done'; readonly id: number }
  | { readonly kind: 'failed'; readonly id: number; readonly error: ErrorReport };
