import type { Reason } from './protocol/reason.ts';
import type { TransferReceipt } from './receipt.ts';

/**
 * What happens during a transfer. Names come from the peer or the file system: checked on their way
 * in, but to be escaped before they reach a terminal.
 */
export type TransferEvent =
  /** The sides know each other and what is to be sent. */
  | {
      readonly type: 'offer';
      readonly peer: string;
      readonly entries: number;
      readonly bytes: number;
      readonly names: readonly string[];
    }
  /** At most ten a second. `bytes` counts what is verified or was there already. */
  | {
      readonly type: 'progress';
      readonly bytes: number;
      readonly totalBytes: number;
      readonly entries: number;
      readonly totalEntries: number;
    }
  /** A file or directory is durable under its name, and the sender knows. */
  | {
      readonly type: 'file';
      readonly path: readonly string[];
      readonly kind: 'file' | 'directory';
      readonly size: number;
      /** Root hash, hexadecimal; empty for a directory. */
      readonly hash: string;
      readonly how: 'written' | 'identical';
      readonly acknowledged: true;
    }
  /** A file or directory was not transferred. */
  | {
      readonly type: 'failed';
      readonly path: readonly string[];
      readonly reason: Reason;
      readonly text: string;
    }
  /**
   * A peer was turned away, before it could say anything. Of a flood a sum is told each minute: `more`
   * from the host that `peer` names.
   */
  | {
      readonly type: 'rejected';
      readonly peer: string;
      readonly text: string;
      readonly more?: number;
    }
  | { readonly type: 'done'; readonly peer: string; readonly receipt: TransferReceipt };
