import type { FrameCodec } from '../frame/frame-codec.ts';
import type { HandlerModule } from './handler-module.ts';

/** What the server does with what it receives. */
export type Behaviour =
  | { readonly kind: 'echo'; readonly prefix?: string | undefined }
  | { readonly kind: 'hello'; readonly text: string }
  | { readonly kind: 'random' }
  | { readonly kind: 'discard' }
  | { readonly kind: 'chat' }
  | { readonly kind: 'module'; readonly module: HandlerModule };

/** The bounds of a server; Infinity disables one. */
export interface Limits {
  readonly maxConnections: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly drainTimeoutMs: number;
}

/** What `sockeye serve` does with its clients. */
export interface ServeOptions {
  readonly behaviour: Behaviour;
  readonly greeting?: string | undefined;
  readonly quit?: string | undefined;
  /** Cuts streams into messages. */
  readonly frame?: FrameCodec | undefined;
}
