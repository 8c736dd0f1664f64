import type { Entry } from './protocol/message.ts';

/** What a sender announces before the first entry. */
export interface OfferSummary {
  readonly entries: number;
  readonly bytes: number;
  /** The first names at the top, at most 16. They were checked; escape them before showing. */
  readonly names: readonly string[];
}

/**
 * Where received files go. A directory is one ({@link receiveFiles} takes a path); an object of
 * these methods is another: a bucket, a database, a hash and nothing else.
 *
 * A method that throws a TransferError refuses with that reason; any other error refuses with
 * `target-failed`. One transfer calls `begin` once, then the others, for many files at once.
 */
export interface TransferSink {
  /** Before the first entry: the place to reserve room. */
  begin?(offer: OfferSummary): Promise<void>;
  /** A directory, parents before children. Without this method directories are only acknowledged. */
  makeDirectory?(entry: Entry): Promise<void>;
  /** All that lies in a directory is there; children before parents. */
  finishDirectory?(entry: Entry): Promise<void>;
  /**
   * The same for many at once, children before parents, so that they can share what each would cost: an
   * error, or undefined, for each. With this method {@link finishDirectory} is not called.
   */
  finishDirectories?(entries: readonly Entry[]): Promise<readonly (Error | undefined)[]>;
  /** A file begins. */
  open(entry: Entry): Promise<SinkFile>;
  /**
   * A small file, whole and verified, none of which is there yet: true once it is durable and
   * visible, false where {@link open} shall take it as any other, for instance because its name is
   * taken. The content stays as it is until then. Without this method `open` takes all.
   */
  putWhole?(entry: Entry, content: Uint8Array): Promise<boolean>;
  /** The transfer ended, well or not. */
  end?(): Promise<void>;
}

/** One file on its way into a sink. */
export interface SinkFile {
  /** Blocks from the start that needn't be sent if the sender's are the same. */
  readonly keptBlocks: number;
  /**
   * Whether what is kept is another file, which counts as done if all of it is the same. Else what
   * is kept is this file's own beginning, and what differs is sent and written again.
   */
  readonly isComparison: boolean;
  /** Fills the buffer with a kept block; returns the bytes there were. */
  readKept(position: number, buffer: Uint8Array): Promise<number>;
  /**
   * Takes verified bytes, in order but for what was damaged on its way. Of a sparse entry holes are
   * not written: what no call brought is zeros. `again` is true where this place may have been
   * written before. The bytes belong to the transfer again once the promise settles.
   */
  write(bytes: Uint8Array, position: number, again: boolean): Promise<void>;
  /** Everything is verified: makes the file durable and visible. Resolves when it is both. */
  commit(): Promise<void>;
  /** What was compared differs: gives the file to write instead, or throws. */
  differs(): Promise<SinkFile>;
  /** The file won't be finished now. With `resumable` what came is kept for the next time. */
  abandon(resumable: boolean): Promise<void>;
}
