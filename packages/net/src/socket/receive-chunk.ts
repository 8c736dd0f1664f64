import type { Descriptor } from './descriptor.ts';
import { type Attempt, isDone, type Operation } from './operation.ts';
import { receiveOnce } from './receive.ts';
import { copyBytes, receiveScratch, SCRATCH_BYTES } from './scratch.ts';

/** What an iterator of chunks gives. */
export type ChunkResult = IteratorResult<Buffer, undefined>;

/** The end of an iteration. */
export const ITERATION_END: IteratorReturnResult<undefined> = Object.freeze({
  done: true,
  value: undefined,
});

/**
 * The receive of a loop over a connection: its result is what the iterator gives, which saves two
 * promises a chunk. It keeps nothing between its attempts, so that one does for the whole loop.
 */
export class ReceiveChunk implements Operation<ChunkResult> {
  /** What the loop gets when its socket is closed under it; undefined: the error. */
  readonly whenClosed: ChunkResult | undefined;
  protected readonly descriptor: Descriptor;

  constructor(descriptor: Descriptor, whenClosed?: ChunkResult) {
    this.descriptor = descriptor;
    this.whenClosed = whenClosed;
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
    const count = receiveOnce(this.descriptor, receiveScratch, 0, SCRATCH_BYTES, 0);
    return isDone(count) ? this.take(receiveScratch, 0, count) : count;
  }

  take(slab: Buffer, offset: number, bytes: number): ChunkResult {
    return bytes === 0 ? ITERATION_END : { done: false, value: copyBytes(slab, offset, bytes) };
  }
}
