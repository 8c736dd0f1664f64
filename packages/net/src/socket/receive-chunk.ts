import type { Descriptor } from './descriptor.ts';
import { type Attempt, isDone, type Operation } from './operation.ts';
import type { Waiting } from './pending.ts';
import { receiveBuffer } from './receive.ts';
import { copyBytes, SCRATCH_BYTES } from './scratch.ts';

/** What an iterator of chunks gives. */
export type ChunkResult = IteratorResult<Buffer, undefined>;

/** The end of an iteration. */
export const ITERATION_END: IteratorReturnResult<undefined> = Object.freeze({
  done: true,
  value: undefined,
});

function toResult(value: Buffer): ChunkResult {
  return value.length === 0 ? ITERATION_END : { done: false, value };
}

/**
 * The receive of a loop over a connection: its result is what the iterator gives, which saves two
 * promises a chunk. It keeps nothing between its attempts, so that one does for the whole loop, and
 * waits in its lane itself, since a server has one for each connection that idles: 130 bytes less than
 * a Pending and the promise's `reject`, without which a failure comes two microtasks later: so does all
 * that waits behind it (LatePending).
 */
export abstract class ReceiveChunk implements Operation<ChunkResult>, Waiting {
  behind: Waiting | undefined;
  protected readonly descriptor: Descriptor;
  #resolve: ((value: unknown) => void) | undefined;

  constructor(descriptor: Descriptor) {
    this.descriptor = descriptor;
  }

  abstract get owner(): object;

  /** What the loop gets when its socket is closed under it; undefined: the error. */
  get whenClosed(): ChunkResult | undefined {
    return undefined;
  }

  get operation(): this {
    return this;
  }

  park(resolve: (value: never) => void): this {
    this.#resolve = resolve as (value: unknown) => void;
    return this;
  }

  get isLate(): boolean {
    return true;
  }

  resolve(value: unknown): void {
    const resolve = this.#resolve;
    this.#resolve = undefined;
    resolve?.(value);
  }

  reject(reason: unknown): void {
    this.resolve(Promise.reject(reason));
  }

  get syscall(): 'recv' {
    return 'recv';
  }

  get direction(): 'read' {
    return 'read';
  }

  get want(): number {
    return SCRATCH_BYTES;
  }

  get receive(): this | undefined {
    return this.descriptor.isStream ? this : undefined;
  }

  attempt(): Attempt<ChunkResult> {
    const value = receiveBuffer(this.descriptor, SCRATCH_BYTES);
    return isDone(value) ? toResult(value) : value;
  }

  take(slab: Buffer, offset: number, bytes: number): ChunkResult {
    return toResult(copyBytes(slab, offset, bytes));
  }
}
