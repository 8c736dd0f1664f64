import type { Entry } from '../protocol/message.ts';
import { BLOCK_BYTES, MAX_ENTRIES } from '../protocol/limits.ts';
import type { OfferSummary, SinkFile, TransferSink } from '../sink.ts';
import { TransferError } from '../transfer-error.ts';
import { CommitQueue } from './commit-queue.ts';
import { ComparedFile } from './compared-file.ts';
import { DirectoryFile, type Placement } from './directory-file.ts';
import { FILE } from './file-constants.ts';
import { MadeDirectories } from './made-directories.ts';
import type { BigStats, OpenFile } from './open-file.ts';
import { openPartFile, type PartFile } from './part-file.ts';
import { PutQueue } from './put-queue.ts';
import { type Quota, RoomLedger } from './room-ledger.ts';
import type { RootDirectory } from './root-directory.ts';
import { isTemporaryName } from './temporary-name.ts';

/** What happens to a file whose name is taken. */
export type Existing = 'refuse' | 'overwrite' | 'append';

export interface DirectorySinkOptions extends Quota {
  /**
   * A file that has the name and is not the same is kept and the new one refused (`refuse`, the
   * default), replaced once the new one is whole (`overwrite`), or completed where it is a beginning
   * of the new one (`append`). One that is the same counts as done.
   */
  readonly existing?: Existing | undefined;
}

const FILE_TYPE = 0o170000n;
const REGULAR = 0o100000n;
// The kernel writes back what is 30 s old (vm.dirty_expire_centisecs), laptops after minutes.
const WRITTEN_BACK_MS = 3_600_000;

/** Puts received files below a directory, by the rules of safety.md 14 to 17. */
export class DirectorySink implements TransferSink {
  readonly #root: RootDirectory;
  readonly #options: DirectorySinkOptions;
  readonly #commits: CommitQueue;
  readonly #puts: PutQueue;
  readonly #directories: MadeDirectories;
  readonly #room: RoomLedger;

  constructor(root: RootDirectory, options: DirectorySinkOptions = {}) {
    this.#root = root;
    this.#options = options;
    this.#commits = new CommitQueue(root);
    this.#puts = new PutQueue(root);
    this.#directories = new MadeDirectories(root);
    this.#room = new RoomLedger(() => root.room());
  }

  begin(offer: OfferSummary): Promise<void> {
    const { maxBytes = Infinity, maxEntries = MAX_ENTRIES } = this.#options;
    if (offer.bytes > maxBytes) throw overQuota(`${offer.bytes} bytes`, 'maxBytes', maxBytes);
    if (offer.entries > maxEntries) {
      throw overQuota(`${offer.entries} entries`, 'maxEntries', maxEntries);
    }
    return Promise.resolve();
  }

  async makeDirectory(entry: Entry): Promise<void> {
    refuseTemporary(entry);
    await this.#directories.make(entry.path);
  }

  finishDirectories(entries: readonly Entry[]): Promise<readonly (Error | undefined)[]> {
    return this.#directories.finish(entries);
  }

  async putWhole(entry: Entry, content: Uint8Array): Promise<boolean> {
    this.#checkFile(entry);
    await this.#room.reserve(entry.size);
    try {
      return await this.#puts.put(entry, content);
    } finally {
      this.#room.release(entry.size);
    }
  }

  #checkFile(entry: Entry): void {
    refuseTemporary(entry);
    const { maxFileBytes = Infinity } = this.#options;
    if (entry.size > maxFileBytes) {
      throw overQuota(`${entry.size} bytes`, 'maxFileBytes', maxFileBytes);
    }
  }

  async open(entry: Entry): Promise<SinkFile> {
    this.#checkFile(entry);
    const { existing = 'refuse' } = this.#options;
    const found = await this.#root.findFile(entry.path, FILE.O_RDONLY | FILE.O_NONBLOCK);
    if (found === undefined) return this.#write(entry, { replace: false });
    return this.#openExisting(entry, found, existing);
  }

  async #openExisting(entry: Entry, found: OpenFile, existing: Existing): Promise<SinkFile> {
    const stat = await found.stat();
    const size = Number(stat.size);
    if ((stat.mode & FILE_TYPE) !== REGULAR) {
      await found.close();
      throw new TransferError('exists', 'what has the name is no regular file');
    }
    if (size === entry.size) {
      return new ComparedFile(found, stat, {
        differs: () => this.#replace(entry, existing === 'overwrite'),
        makeDurable: isFresh(stat) ? () => this.#makeDurable(entry, found) : undefined,
      });
    }
    if (existing === 'append' && size < entry.size) {
      return this.#write(entry, { replace: true, beginning: found });
    }
    await found.close();
    return this.#replace(entry, existing === 'overwrite');
  }

  /** For a file that somebody has just written, or a run that was cut before its last sync. */
  async #makeDurable({ path }: Entry, file: OpenFile): Promise<void> {
    await file.sync();
    await this.#commits.sync(path.slice(0, -1));
  }

  #replace(entry: Entry, allowed: boolean): Promise<SinkFile> {
    if (allowed) return this.#write(entry, { replace: true });
    throw new TransferError('exists', 'another file has the name');
  }

  async #write(entry: Entry, placement: Placement): Promise<SinkFile> {
    let part: PartFile | undefined;
    let reserved = 0;
    try {
      part = await openPartFile(this.#root, entry);
      // A sparse file takes less than its size, which nobody knows before it is here.
      const bytes = entry.sparse ? 0 : entry.size - part.keptBlocks * BLOCK_BYTES;
      await this.#room.reserve(bytes);
      reserved = bytes;
      const started = await this.#withBeginning(part, entry.size, placement);
      const context = {
        root: this.#root,
        commits: this.#commits,
        release: () => this.#room.release(bytes),
      };
      return new DirectoryFile(context, entry, started, placement);
    } catch (error) {
      this.#room.release(reserved);
      await this.#giveUp(entry, part);
      await placement.beginning?.close();
      throw error;
    }
  }

  /** With what is appended to as the blocks that are kept, unless an earlier run has more. */
  async #withBeginning(part: PartFile, size: number, { beginning }: Placement): Promise<PartFile> {
    if (beginning === undefined || part.keptBlocks > 0) return part;
    return { ...part, keptBlocks: await copyBlocks(beginning, part.file, size) };
  }

  /** Leaves nothing of a file that found no room, but for what an earlier run has written. */
  async #giveUp({ path }: Entry, part: PartFile | undefined): Promise<void> {
    if (part === undefined) return;
    try {
      if (part.keptBlocks === 0) await this.#root.removeFile([...path.slice(0, -1), part.name]);
    } finally {
      await part.file.close();
    }
  }
}

/** Copies the whole blocks of a file, no more than `size` has: it may grow. Returns how many. */
async function copyBlocks(from: OpenFile, to: OpenFile, size: number): Promise<number> {
  const buffer = Buffer.allocUnsafe(BLOCK_BYTES);
  const most = Math.floor(size / BLOCK_BYTES);
  let blocks = 0;
  while (blocks < most && (await from.read(buffer, blocks * BLOCK_BYTES)) === BLOCK_BYTES) {
    await to.write([buffer], blocks * BLOCK_BYTES);
    blocks++;
  }
  return blocks;
}

/** Whether the kernel may still have to write what it says of a file. */
function isFresh({ ctimeMs }: BigStats): boolean {
  return Date.now() - Number(ctimeMs) < WRITTEN_BACK_MS;
}

function refuseTemporary({ path }: Entry): void {
  if (!path.some(isTemporaryName)) return;
  throw new TransferError('name', 'the name belongs to unfinished files');
}

function overQuota(what: string, name: string, limit: number): TransferError {
  return new TransferError('quota', `${what} exceed ${name} ${limit}`);
}
