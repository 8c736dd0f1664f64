import type { Entry, Role } from '../protocol/message.ts';
import type { Reason } from '../protocol/reason.ts';
import { BLOCK_BYTES } from '../protocol/limits.ts';
import { receiptBase, type ReceiptEntry, type TransferReceipt } from '../receipt.ts';
import type { TransferEvent } from '../transfer-event.ts';

// Ten progress events a second are more than a person sees.
const PROGRESS_MS = 100;

/** The two views of an entry's root. */
export interface Roots {
  readonly sender: Buffer;
  readonly receiver: Buffer;
}

/** Collects what happens in one session: tells of it, and writes the receipt. */
export class TransferLog {
  readonly #emit: (event: TransferEvent) => void;
  readonly #onEntry: ((entry: ReceiptEntry) => void) | undefined;
  readonly #entries: ReceiptEntry[] = [];
  readonly #startedAt = new Date();
  #bytes = 0;
  #transferred = 0;
  #totalBytes = 0;
  #totalEntries = 0;
  #acknowledged = 0;
  #acknowledgedBytes = 0;
  #failed = 0;
  #nextProgress = 0;

  /** @param onEntry takes the receipt's entries, which aren't kept then */
  constructor(emit: (event: TransferEvent) => void, onEntry?: (entry: ReceiptEntry) => void) {
    this.#emit = emit;
    this.#onEntry = onEntry;
  }

  offer(offer: Omit<Extract<TransferEvent, { type: 'offer' }>, 'type'>): void {
    this.#totalBytes = offer.bytes;
    this.#totalEntries = offer.entries;
    this.#emit({ type: 'offer', ...offer });
  }

  /** The receiver takes the offer: nothing is there yet. */
  accepted(): void {
    this.#tellProgress();
  }

  /** So many bytes of blocks crossed the wire. */
  transferred(bytes: number): void {
    this.#transferred += bytes;
  }

  /** So many more bytes are where they belong. */
  progress(bytes: number): void {
    this.#bytes += bytes;
    this.#soon();
  }

  /** Tells of the progress, unless it has just done so. */
  #soon(): void {
    const now = performance.now();
    if (now < this.#nextProgress) return;
    this.#nextProgress = now + PROGRESS_MS;
    this.#tellProgress();
  }

  #tellProgress(): void {
    this.#emit({
      type: 'progress',
      // A sender hears of small files, and of those that were there, by their acknowledgement alone.
      bytes: Math.max(this.#bytes, this.#acknowledgedBytes),
      totalBytes: this.#totalBytes,
      entries: this.#acknowledged + this.#failed,
      totalEntries: this.#totalEntries,
    });
  }

  acknowledged(entry: Entry, how: 'written' | 'identical', roots?: Roots): void {
    const { path, kind, size } = entry;
    const hash = roots?.receiver.toString('hex') ?? '';
    // One string for both where they agree, which is a million times in a large transfer.
    const sender =
      roots?.sender.equals(roots.receiver) === false ? roots.sender.toString('hex') : hash;
    this.#acknowledged++;
    this.#acknowledgedBytes += size;
    const base = receiptBase(entry);
    if (roots === undefined) this.#add({ ...base, state: how });
    else this.#add({ ...base, state: how, senderRoot: sender, receiverRoot: hash });
    this.#emit({ type: 'file', path, kind, size, hash, how, acknowledged: true });
    this.#soon();
  }

  failed(entry: Entry, reason: Reason, text: string): void {
    this.#failed++;
    this.#add({ ...receiptBase(entry), state: 'failed', reason, text });
    this.#emit({ type: 'failed', path: entry.path, reason, text });
  }

  /** Tells of something that never became an entry. */
  skipped(path: readonly string[], reason: Reason, text: string): void {
    const nothing = { kind: 'file', size: 0, mode: 0, mtime: [0, 0] } as const;
    this.#failed++;
    this.#add({ path, ...nothing, state: 'failed', reason, text });
    this.#emit({ type: 'failed', path, reason, text });
  }

  #add(entry: ReceiptEntry): void {
    if (this.#onEntry === undefined) this.#entries.push(entry);
    else this.#onEntry(entry);
  }

  /** Ends the log. */
  done(side: Role, peer: string, how: { hash: string; encrypted: boolean }): TransferReceipt {
    this.#tellProgress();
    const receipt: TransferReceipt = {
      format: 'sockeye-receipt',
      version: 1,
      side,
      peer,
      ...how,
      blockBytes: BLOCK_BYTES,
      startedAt: this.#startedAt.toISOString(),
      endedAt: new Date().toISOString(),
      transferredBytes: this.#transferred,
      complete: this.#failed === 0 && this.#acknowledged === this.#totalEntries,
      acknowledged: this.#acknowledged,
      failed: this.#failed,
      entries: this.#entries,
    };
    this.#emit({ type: 'done', peer, receipt });
    return receipt;
  }
}
