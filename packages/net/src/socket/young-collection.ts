import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// As many bytes of short-lived buffers as a collection of the young ones alone is worth: 0.3 ms for
// each 4 MiB. From 8 MiB on V8 starts with the whole heap.
const COLLECT_BYTES = 4 * 1024 * 1024;

type Collect = (options: { readonly type: 'minor' }) => void;

/** V8's collection of young objects; undefined where it can't be had, which costs time only. */
function minorCollection(): Collect | undefined {
  try {
    // A context that is made while the flag is set has the function; no other is changed.
    setFlagsFromString('--expose-gc');
    return runInNewContext('gc') as Collect;
  } catch {
    return undefined;
  } finally {
    setFlagsFromString('--no-expose-gc');
  }
}

/** Without V8's helper threads, whose awakening takes longer than a collection of so little. */
function collectAlone(run: Collect): void {
  setFlagsFromString('--no-parallel-scavenge');
  run({ type: 'minor' });
  setFlagsFromString('--parallel-scavenge');
}

let collect: Collect | undefined;

/**
 * Keeps V8 from collecting the whole heap because of buffers that are garbage already.
 *
 * V8 counts the memory of every buffer, young ones included, against the old generation's limit,
 * which lies some 8 MiB above a small heap. node:tls makes a buffer of 16 KiB for each record, so a
 * gigabyte was 98 collections of the whole heap, half of a receiver's time; with this it is one
 * (docs/decisions/0004-transfer-speed.md).
 */
export class YoungCollection {
  #bytes = 0;

  /** So many bytes of buffers became garbage. */
  dropped(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_BYTES) return;
    this.#bytes = 0;
    collect ??= minorCollection();
    if (collect !== undefined) collectAlone(collect);
  }
}
