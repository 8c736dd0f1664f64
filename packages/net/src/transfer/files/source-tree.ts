import { realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import type { Entry } from '../protocol/message.ts';
import { nameFault } from '../protocol/check-name.ts';
import { MAX_DEPTH } from '../protocol/limits.ts';
import { TransferError } from '../transfer-error.ts';
import { FILE } from './file-constants.ts';
import type { ListedName, SourceStat } from './directory-listing.ts';
import { FileError } from './file-error.ts';
import type { OpenFile } from './open-file.ts';
import { namesIn, RootDirectory } from './root-directory.ts';

const FILE_TYPE = 0o170000n;
const KINDS = new Map<bigint, Entry['kind']>([
  [0o100000n, 'file'],
  [0o040000n, 'directory'],
]);
// What stat(2) counts blocks in.
const STAT_BLOCK = 512n;
const NS = 1_000_000_000n;

/** A file or directory to send. */
export interface SourceEntry {
  readonly entry: Entry;
  readonly root: RootDirectory;
  /** Its path below the root. */
  readonly below: readonly string[];
  readonly identity: SourceIdentity;
}

/** What tells that a source is still what it was. */
export interface SourceIdentity {
  readonly inode: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
}

/** Something in the tree that isn't sent. */
export interface SkippedEntry {
  readonly path: readonly string[];
  readonly text: string;
}

export function identityOf({ ino, size, mtimeNs }: SourceStat): SourceIdentity {
  return { inode: ino, size, mtimeNs };
}

/** What changed between two looks at a source; undefined for nothing. */
export function changeOf(before: SourceIdentity, now: SourceIdentity): string | undefined {
  if (before.inode !== now.inode) return 'another file has its name';
  if (before.size !== now.size) return `its size was ${before.size} and is ${now.size}`;
  return before.mtimeNs === now.mtimeNs ? undefined : 'it was written to';
}

/** All that is to be sent, parents before children, and what is left out. */
export class SourceTree {
  readonly entries: SourceEntry[] = [];
  readonly skipped: SkippedEntry[] = [];
  bytes = 0;
  readonly #roots: RootDirectory[] = [];

  /** @throws FileError where a path that was asked for isn't there; TransferError for its name */
  static async open(paths: readonly string[]): Promise<SourceTree> {
    const tree = new SourceTree();
    try {
      for (const path of paths) await tree.#add(path);
    } catch (error) {
      await tree.close();
      throw error;
    }
    return tree;
  }

  async close(): Promise<void> {
    await Promise.all(this.#roots.map((root) => root.close()));
  }

  /** A link that the caller names is followed; its own name is the one that is sent. */
  async #add(path: string): Promise<void> {
    const name = basename(resolve(path));
    const fault = nameFault(name);
    if (fault !== undefined) {
      throw new TransferError('name', `Cannot send ${JSON.stringify(path)}: its name: ${fault}`);
    }
    const real = await realpath(path);
    const root = await RootDirectory.open(dirname(real));
    this.#roots.push(root);
    const below = [basename(real)];
    const file = await root.openFile(below, FILE.O_PATH | FILE.O_NOFOLLOW);
    await this.#visit(root, below, [name], await closing(file, file.stat()));
  }

  async #visit(root: RootDirectory, below: string[], path: string[], stat: SourceStat) {
    const kind = KINDS.get(stat.mode & FILE_TYPE);
    if (kind === undefined) {
      this.#skip(path, 'it is neither a file nor a directory');
      return;
    }
    const entry = describe(this.entries.length, kind, path, stat);
    this.entries.push({ entry, root, below, identity: identityOf(stat) });
    this.bytes += entry.size;
    if (kind === 'directory') await this.#descend(root, below, path);
  }

  async #descend(root: RootDirectory, below: string[], path: string[]): Promise<void> {
    const directory = await root.openDirectory(below);
    const listed = await closing(directory, namesIn(directory));
    for (const { name = '\ufffd', stat, fault } of listed.map((one) =>
      withFault(one, path.length),
    )) {
      if (stat instanceof FileError || fault !== undefined) {
        this.#skip([...path, name], fault ?? (stat as FileError).message);
        continue;
      }
      await this.#visit(root, [...below, name], [...path, name], stat).catch((error: Error) =>
        this.#skip([...path, name], error.message),
      );
    }
  }

  #skip(path: readonly string[], text: string): void {
    this.skipped.push({ path, text });
  }
}

/** What is wrong with a name where it is to be sent, in words. */
function withFault(listed: ListedName, depth: number): ListedName & { readonly fault?: string } {
  const { name } = listed;
  const tooDeep = depth >= MAX_DEPTH ? `it is deeper than ${MAX_DEPTH}` : undefined;
  const fault = name === undefined ? 'it is not UTF-8' : (nameFault(name) ?? tooDeep);
  return fault === undefined ? listed : { ...listed, fault: `its name: ${fault}` };
}

function describe(id: number, kind: Entry['kind'], path: string[], stat: SourceStat): Entry {
  const isFile = kind === 'file';
  return {
    id,
    kind,
    path,
    size: isFile ? Number(stat.size) : 0,
    mode: Number(stat.mode & 0o777n),
    // Rounds down before 1970 as well, so that the nanoseconds are never negative.
    mtimeSeconds: Number((stat.mtimeNs - (((stat.mtimeNs % NS) + NS) % NS)) / NS),
    mtimeNanoseconds: Number(((stat.mtimeNs % NS) + NS) % NS),
    sparse: isFile && stat.blocks * STAT_BLOCK < stat.size,
  };
}

/** Waits for a result, then closes what it came from. */
async function closing<Result>(file: OpenFile, result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } finally {
    await file.close();
  }
}
