import { setFlagsFromString } from 'node:v8';
import type { ReceiveEvent } from '@sockeye/net/transfer';

// Files of an offer, or in the tenth of a second between two reports of progress. Arbitrary.
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
  many: [
    '--incremental-marking-soft-trigger=15',
    '--incremental-marking-hard-trigger=20',
    // V8's own.
    '--interrupt-budget=67584',
  ],
  // TLS's buffers count as old ones: V8 would do nothing else (0 is no trigger).
  large: [
    '--incremental-marking-soft-trigger=0',
    '--incremental-marking-hard-trigger=0',
    // Its compiler takes processors that both sides need, for functions that run 2,000 times a second.
    '--interrupt-budget=4000000',
  ],
} as const;

/** Sets V8 to what a transfer does just now. */
export class V8Mode {
  #entries = 0;
  #mode: keyof typeof MODES | undefined;

  /** A tree may be walked, and directories announced, long before there is progress to tell of. */
  constructor() {
    this.#set('many');
  }

  tell(event: ReceiveEvent): void {
    if (event.type === 'offer') this.#offered(event.entries);
    if (event.type === 'progress') this.#progressed(event.entries);
  }

  #offered(entries: number): void {
    this.#entries = 0;
    this.#set(entries < MANY_FILES ? 'large' : 'many');
  }

  #progressed(entries: number): void {
    const mode = entries - this.#entries < MANY_FILES ? 'large' : 'many';
    this.#entries = entries;
    this.#set(mode);
  }

  #set(mode: keyof typeof MODES): void {
    if (mode === this.#mode) return;
    this.#mode = mode;
    for (const flag of MODES[mode]) setFlagsFromString(flag);
  }
}
