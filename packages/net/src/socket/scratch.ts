import { MAX_ADDRESS_LENGTH } from '../address/index.ts';
import { YoungCollection } from './young-collection.ts';

// Memory of this thread that a system call fills and its caller reads before anything else runs.

/** Receives up to this size go through the scratch, so that a buffer is made only for what came. */
export const SCRATCH_BYTES = 64 * 1024;
export const receiveScratch = Buffer.allocUnsafeSlow(SCRATCH_BYTES);

/** Where a call puts an address: its length in four bytes, then the sockaddr. */
export const addressOut = Buffer.alloc(4 + MAX_ADDRESS_LENGTH);
/** The sockaddr in `addressOut`. */
export const addressOutBytes = addressOut.subarray(4);

/** Where an address is encoded for a call. */
export const addressIn = Buffer.alloc(MAX_ADDRESS_LENGTH);

// From here on a Buffer has memory of its own, which V8 counts; a smaller one shares the pool's.
const COUNTED_BYTES = Buffer.poolSize >>> 1;
const young = new YoungCollection();

/** So many bytes are handed out as a Buffer, and are garbage soon. */
export function dropLater(bytes: number): void {
  if (bytes >= COUNTED_BYTES) young.dropped(bytes);
}

/** The bytes as a Buffer of their own. */
export function copyBytes(source: Buffer, offset: number, length: number): Buffer {
  dropLater(length);
  const copy = Buffer.allocUnsafe(length);
  source.copy(copy, 0, offset, offset + length);
  return copy;
}
