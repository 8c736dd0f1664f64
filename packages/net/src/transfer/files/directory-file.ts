import type { SinkFile } from '../sink.ts';
import type { Entry } from '../protocol/message.ts';
import { BLOCK_BYTES } from '../protocol/limits.ts';
import { TransferError } from '../transfer-error.ts';
import type { CommitQueue } from './commit-queue.ts';
import { FileError } from './file-error.ts';
import type { OpenFile } from './open-file.ts';
import type { PartFile } from './part-file.ts';
import type { RootDirectory } from './root-directory.ts';
import { dataRuns } from './zero-runs.ts';

/** What a file in a directory needs of the sink it belongs to. */
export interface DirectoryFileContext {
  readonly root: RootDirectory;
  readonly commits: CommitQueue;
  /** The file is over: its room is free for others. */
  release(): void;
}

/** How a file takes its final name. */
export interface Placement {
  /** Takes the place of what has the name. */
  readonly replace: boolean;
  /** What has the name must be a beginning of the new content. */
  readonly beginning?: OpenFile | undefined;
}

/** Bytes and where they belong. */
interface Piece {
  readonly bytes: Uint8Array;
  readonly position: number;
}

/** What one call of `write` brought. */
interface Write {
  readonly pieces: readonly Piece[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** A file that grows under a temporary name until it is whole. */
export class DirectoryFile implements SinkFile {
  readonly isComparison = false;
  readonly keptBlocks: number;
  readonly #context: DirectoryFileContext;
  readonly #entry: Entry;
  readonly #part: PartFile;
  readonly #placement: Placement;
  #isEmpty: boolean;
  readonly #waiting: Write[] = [];
  #isWriting = false;

  constructor(context: DirectoryFileContext, entry: Entry, part: PartFile, placement: Placement) {
    this.#context = context;
    this.#entry = entry;
    this.#part = part;
    this.#placement = placement;
    this.keptBlocks = part.keptBlocks;
    this.#isEmpty = part.keptBlocks === 0;
  }

  readKept(position: number, buffer: Uint8Array): Promise<number> {
    return this.#part.file.read(buffer, position);
  }

  /**
   * One write at a time: the kernel lets only one into a file anyway, and the others would spin on
   * its lock in as many threads of the pool. What comes meanwhile is written together.
   */
  write(bytes: Uint8Array, position: number, again: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#isEmpty = false;
      // Where nothing was written zeros are there already, and stay a hole.
      const runs = this.#entry.sparse && !again ? dataRuns(bytes) : [[0, bytes.length] as const];
      const pieces = runs.map(([from, to]) => ({
        bytes: bytes.subarray(from, to),
        position: position + from,
      }));
      this.#waiting.push({ pieces, resolve, reject });
      if (!this.#isWriting) void this.#writeWaiting();
    });
  }

  async #writeWaiting(): Promise<void> {
    this.#isWriting = true;
    while (this.#waiting.length > 0) {
      const writes = this.#waiting.splice(0);
      try {
        for (const run of contiguous(writes.flatMap(({ pieces }) => pieces))) {
          await this.#part.file.write(
            run.map(({ bytes }) => bytes),
            (run[0] as Piece).position,
          );
        }
        for (const { resolve } of writes) resolve();
      } catch (error) {
        for (const { reject } of writes) reject(error);
      }
    }
    this.#isWriting = false;
  }

  /** The order is safety.md's 16: content, fsync, name, fsync of the directory. */
  async commit(): Promise<void> {
    const { path, size, mode, mtimeSeconds, mtimeNanoseconds } = this.#entry;
    const { file, name } = this.#part;
    let isOnDisk = false;
    try {
      const newSize = this.#entry.sparse ? size : -1;
      // A hole at the end is part of what is compared.
      if (newSize >= 0 && this.#placement.beginning !== undefined) await file.truncate(newSize);
      await this.#checkBeginning();
      await file.finish(newSize, mode & 0o777, mtimeSeconds, mtimeNanoseconds);
      isOnDisk = true;
      const names = { from: name, to: path.at(-1) as string };
      await this.#context.commits.rename(path.slice(0, -1), names, this.#placement.replace);
    } catch (error) {
      const refusal = isExists(error)
        ? new TransferError('exists', 'a file came in its place')
        : error;
      // A refused file would be refused before it could go on with this. Of one that a disk didn't take
      // the kernel shows what was lost all the same, and says of the next fsync that it succeeded.
      const isUseless = refusal instanceof TransferError || !isOnDisk;
      if (isUseless) await this.#removePart().catch(() => undefined);
      throw refusal;
    } finally {
      // Nobody needs to wait for it.
      void this.#close().catch(() => undefined);
    }
  }

  differs(): Promise<SinkFile> {
    throw new Error('unreachable: nothing is compared');
  }

  async abandon(resumable: boolean): Promise<void> {
    try {
      if (!resumable || this.#isEmpty) await this.#removePart();
    } finally {
      await this.#close();
    }
  }

  #removePart(): Promise<void> {
    return this.#context.root.removeFile([...this.#entry.path.slice(0, -1), this.#part.name]);
  }

  async #close(): Promise<void> {
    this.#context.release();
    await this.#part.file.close();
    await this.#placement.beginning?.close();
  }

  /** Compares what has the name with our beginning, now that all of it is here. */
  async #checkBeginning(): Promise<void> {
    const { beginning } = this.#placement;
    if (beginning === undefined) return;
    const theirs = Buffer.allocUnsafe(BLOCK_BYTES);
    const ours = Buffer.allocUnsafe(BLOCK_BYTES);
    for (let at = 0; ; at += BLOCK_BYTES) {
      const count = await beginning.read(theirs, at);
      if (count === 0) return;
      const same = (await this.#part.file.read(ours.subarray(0, count), at)) === count;
      if (!same || theirs.compare(ours, 0, count, 0, count) !== 0) {
        throw new TransferError('exists', 'the file that is there is no beginning of the one sent');
      }
    }
  }
}

/** Pieces in groups of those that lie one behind the other. */
function contiguous(pieces: readonly Piece[]): Piece[][] {
  const runs: Piece[][] = [];
  let end = -1;
  for (const piece of pieces) {
    if (piece.position === end) runs.at(-1)?.push(piece);
    else runs.push([piece]);
    end = piece.position + piece.bytes.length;
  }
  return runs;
}

function isExists(error: unknown): boolean {
  return error instanceof FileError && error.code === 'EEXIST' && error.syscall === 'renameat2';
}
