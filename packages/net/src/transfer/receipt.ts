import type { Entry, Role } from './protocol/message.ts';
import type { Reason } from './protocol/reason.ts';

/** What became of one file or directory, as one side saw it. */
export interface ReceiptEntry {
  readonly path: readonly string[];
  readonly kind: 'file' | 'directory';
  readonly size: number;
  readonly mode: number;
  /** Seconds and nanoseconds since 1970, as in the entry. */
  readonly mtime: readonly [seconds: number, nanoseconds: number];
  /** `written` and `identical` were acknowledged by the receiver; `failed` was not. */
  readonly state: 'written' | 'identical' | 'failed';
  /** Root hash that the sender computed, hexadecimal; absent for directories and failures. */
  readonly senderRoot?: string;
  /** Root hash that the receiver computed from what it verified. */
  readonly receiverRoot?: string;
  readonly reason?: Reason;
  readonly text?: string;
}

/** A record of one transfer that `verifyReceipt` can check later. It is plain JSON. */
export interface TransferReceipt {
  readonly format: 'sockeye-receipt';
  readonly version: 1;
  /** The side that wrote it. */
  readonly side: Role;
  readonly peer: string;
  readonly encrypted: boolean;
  readonly hash: string;
  readonly blockBytes: number;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** Bytes of blocks that crossed the wire in this session; what was kept didn't. */
  readonly transferredBytes: number;
  /** Whether everything offered was acknowledged. */
  readonly complete: boolean;
  /** Files and directories. */
  readonly acknowledged: number;
  readonly failed: number;
  /** Empty where `onEntry` took them. */
  readonly entries: readonly ReceiptEntry[];
}

/** The part of a receipt's entry that describes the source. */
export function receiptBase(entry: Entry) {
  const { path, kind, size, mode, mtimeSeconds, mtimeNanoseconds } = entry;
  return { path, kind, size, mode, mtime: [mtimeSeconds, mtimeNanoseconds] as const };
}
