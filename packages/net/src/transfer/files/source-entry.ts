import type { Entry } from '../protocol/message.ts';
import type { Reason } from '../protocol/reason.ts';
import type { SourceStat } from './directory-listing.ts';
import type { RootDirectory } from './root-directory.ts';

const FILE_TYPE = 0o170000n;
const KINDS = new Map<bigint, Entry['kind']>([
  [0o100000n, 'file'],
  [0o040000n, 'directory'],
]);
const SYMBOLIC_LINK = 0o120000n;
// What stat(2) counts blocks in.
const STAT_BLOCK = 512n;
const NS = 1_000_000_000n;

/** Where something to send lies, and where it goes. */
export interface SourcePlace {
  readonly root: RootDirectory;
  /** Its path below the root. */
  readonly below: readonly string[];
  /** Its path at the receiver, below the directory there. */
  readonly path: readonly string[];
}

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
  readonly reason: Reason;
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

/** Undefined for what is neither a file nor a directory. */
export function kindOf({ mode }: SourceStat): Entry['kind'] | undefined {
  return KINDS.get(mode & FILE_TYPE);
}

/** Why what has no kind isn't sent. */
export function strangerText({ mode }: SourceStat): string {
  const isLink = (mode & FILE_TYPE) === SYMBOLIC_LINK;
  return isLink
    ? 'it is a symbolic link, which is not followed'
    : 'it is neither a file nor a directory';
}

/** Bytes that it adds to a transfer. */
export function sizeOf(kind: Entry['kind'], { size }: SourceStat): number {
  return kind === 'file' ? Number(size) : 0;
}

/** The entry of a source that has this kind. */
export function sourceEntry(
  id: number,
  kind: Entry['kind'],
  { root, below, path }: SourcePlace,
  stat: SourceStat,
): SourceEntry {
  // Rounds down before 1970 as well, so that the nanoseconds are never negative.
  const nanoseconds = ((stat.mtimeNs % NS) + NS) % NS;
  const entry = {
    id,
    kind,
    path,
    size: sizeOf(kind, stat),
    mode: Number(stat.mode & 0o777n),
    mtimeSeconds: Number((stat.mtimeNs - nanoseconds) / NS),
    mtimeNanoseconds: Number(nanoseconds),
    sparse: kind === 'file' && stat.blocks * STAT_BLOCK < stat.size,
  };
  return { entry, root, below, identity: identityOf(stat) };
}
