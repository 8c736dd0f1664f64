/** What the server does with what it receives. */
export type Behaviour =
  | { readonly kind: 'echo'; readonly prefix?: string | undefined }
  | { readonly kind: 'hello'; readonly text: string }
  | { readonly kind: 'random' }
  | { readonly kind: 'discard' }
  | { readonly kind: 'chat' };

/** The bounds of a server; Infinity disables one. */
export interface Limits {
  readonly maxConnections: number;
  readonly firstByteTimeoutMs: number;
  readonly idleTimeoutMs: number;
  readonly writeTimeoutMs: number;
  readonly drainTimeoutMs: number;
}

/** What `sockeye serve` was told. */
export interface ServeOptions extends Limits {
  readonly behaviour: Behaviour;
  readonly greeting?: string | undefined;
  readonly quit?: string | undefined;
  readonly portFile?: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
}
