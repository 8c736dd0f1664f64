import { TransferError } from '../transfer-error.ts';

/** Limits of what a peer may store. `Infinity` disables one. */
export interface Quota {
  /** Bytes of one transfer. Default Infinity: what the file system has room for. */
  readonly maxBytes?: number | undefined;
  /** Bytes of one file. Default Infinity. */
  readonly maxFileBytes?: number | undefined;
  /** Files and directories of one transfer. Default 10,000,000, the protocol's own limit. */
  readonly maxEntries?: number | undefined;
}

// What is left free for others: the last blocks of a file system are its slowest. Arbitrary.
const RESERVE_BYTES = 1024 * 1024;

/** Room on a file system, given out before the first byte comes (safety.md 17). */
export class RoomLedger {
  readonly #ask: () => Promise<{ availableBytes: number }>;
  #left = 0;
  #promised = 0;

  constructor(ask: () => Promise<{ availableBytes: number }>) {
    this.#ask = ask;
  }

  /** @throws TransferError `target-failed` where there is no room for so much */
  async reserve(bytes: number): Promise<void> {
    if (bytes > this.#left) {
      const { availableBytes } = await this.#ask();
      // What is promised and partly written counts twice here: too careful rather than too bold.
      this.#left = availableBytes - RESERVE_BYTES - this.#promised;
    }
    if (bytes > this.#left) {
      const [wanted, free] = [bytes, Math.max(0, this.#left)].map((n) => n.toLocaleString('en'));
      throw new TransferError('target-failed', `no room for ${wanted} bytes, ${free} are free`);
    }
    this.#left -= bytes;
    this.#promised += bytes;
  }

  /** The file is written, or given up. */
  release(bytes: number): void {
    this.#promised -= bytes;
  }
}
