import { setFlagsFromString } from 'node:v8';
import type { ReceiveEvent } from '@sockeye/net/transfer';

// Files in the tenth of a second between two reports of progress. Arbitrary.
const MANY_FILES = 50;

/**
 * Keeps young objects within 2 MiB instead of 32.
 *
 * V8 reads the flags here whenever it decides, so they count from then on. One that a later V8 doesn't
 * know changes nothing.
 */
export function keepHeapSmall(): void {
  setFlagsFromString('--semi-space-growth-factor=1');
}

/** What V8 does while many small files go by, and while a large one does. */
const MODES = {
  // Each leaves old objects behind, at which V8 by itself doesn't look before they are 30 MiB. The triggers
  // are percents of what may be allocated until the next collection.
  many: ['--incremental-marking-soft-trigger=15', '--incremental-marking-hard-trigger=20'],
  // TLS's buffers count as old ones: V8 would do nothing else (0 is no trigger).
  large: ['--incremental-marking-soft-trigger=0', '--incremental-marking-hard-trigger=0'],
} as const;

/** Sets V8 to what a transfer does just now. */
export class HeapMode {
  #entries = 0;
  #mode: keyof typeof MODES | undefined;

  /** A tree may be walked, and directories announced, long before there is progress to tell of. */
  constructor() {
    this.#set('many');
  }

  tell(event: ReceiveEvent): void {
    if (event.type !== 'progress') return;
    const mode = event.entries - this.#entries < MANY_FILES ? 'large' : 'many';
    this.#entries = event.entries;
    this.#set(mode);
  }

  #set(mode: keyof typeof MODES): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    for (const flag of MODES[mode]) setFlagsFromString(flag);
  }
}
