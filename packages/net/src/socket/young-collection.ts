import { getHeapStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

// As many bytes of short-lived buffers as a collection of the young ones alone is worth: 0.3 ms for
// each 4 MiB. From 8 MiB on V8 starts with the whole heap.
const COLLECT_BYTES = 4 * 1024 * 1024;

// With so many objects V8 has room for 32 MiB of young buffers and collects those alone by itself; to
// do it eight times as often would cost what is alive and young. (From 11 MB on it is all right.)
const LARGE_HEAP_BYTES = 24 * 1024 * 1024;

// glibc's free() gives memory back to the kernel from 128 KiB on, so that each new buffer is mapped
// afresh. Once so large a block was freed it keeps up to twice as much for the next (mallopt(3),
// M_MMAP_THRESHOLD), here what two collections free. The block is never touched.
const FREED_ONCE_BYTES = 8 * 1024 * 1024;

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

/**
 * Without V8's helper threads, whose awakening takes longer than a collection of so little. That they
 * don't free the buffers either is a tenth of the CPU of `sockeye forward tls://… tcp`.
 */
function collectAlone(run: Collect): void {
  setFlagsFromString('--no-parallel-scavenge --no-concurrent-array-buffer-sweeping');
  run({ type: 'minor' });
  setFlagsFromString('--parallel-scavenge --concurrent-array-buffer-sweeping');
}

let started = false;
let collect: Collect | undefined;

/**
 * Keeps V8 from collecting the whole heap because of buffers that are garbage already.
 *
 * V8 counts the memory of every buffer, young ones included, against the old generation's limit,
 * which lies some 8 MiB above a small heap. node:tls makes a buffer of 16 KiB for each record, so a
 * gigabyte was 98 collections of the whole heap, half of a receiver's time; with this it is one
 * (docs/decisions/0004-transfer-speed.md). Receives that give a large Buffer have the same cost.
 */
export class YoungCollection {
  #bytes = 0;

  /** So many bytes of buffers became garbage, or will soon. */
  dropped(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < COLLECT_BYTES) return;
    this.#bytes = 0;
    if (!started) {
      started = true;
      collect = minorCollection();
      Buffer.allocUnsafeSlow(FREED_ONCE_BYTES);
    }
    if (collect === undefined || getHeapStatistics().used_heap_size > LARGE_HEAP_BYTES) return;
    collectAlone(collect);
  }
}
