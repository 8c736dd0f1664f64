import { EACCES, EEXIST } from '../../constants/index.ts';
import type { Entry } from '../protocol/message.ts';
import { BLOCK_BYTES } from '../protocol/limits.ts';
import { TransferError } from '../transfer-error.ts';
import { FILE } from './file-constants.ts';
import { FileError } from './file-error.ts';
import type { OpenFile } from './open-file.ts';
import type { RootDirectory } from './root-directory.ts';
import { temporaryName } from './temporary-name.ts';

const ATTEMPTS = 3;
const FILE_TYPE = 0o170000n;
const REGULAR = 0o100000n;

/** A file that grows under a temporary name of ours, locked against others that would write it. */
export interface PartFile {
  readonly file: OpenFile;
  readonly name: string;
  /** Whole blocks that an earlier run left. */
  readonly keptBlocks: number;
}

/**
 * Opens the file under which an entry grows: the one that an earlier run left, or a new one.
 *
 * @throws TransferError `busy` where another transfer is writing it; FileError
 */
export async function openPartFile(root: RootDirectory, entry: Entry): Promise<PartFile> {
  const name = temporaryName(entry);
  const path = [...entry.path.slice(0, -1), name];
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const part = (await createPart(root, path)) ?? (await continuePart(root, path, entry.size));
    if (part !== undefined) return { ...part, name };
  }
  throw new TransferError('busy', 'another transfer is writing this file');
}

type Opened = Pick<PartFile, 'file' | 'keptBlocks'>;

async function createPart(root: RootDirectory, path: readonly string[]) {
  try {
    const file = await root.openFile(path, FILE.O_RDWR | FILE.O_CREAT | FILE.O_EXCL, 0o600);
    return await locked(file, () => Promise.resolve(0));
  } catch (error) {
    if (error instanceof FileError && error.errno === EEXIST) return undefined;
    throw error;
  }
}

async function continuePart(
  root: RootDirectory,
  path: readonly string[],
  size: number,
): Promise<Opened | undefined> {
  let file: OpenFile | undefined;
  try {
    file = await root.findFile(path, FILE.O_RDWR | FILE.O_NONBLOCK);
  } catch (error) {
    // It had its final mode already when the earlier run was cut, one that we may not write.
    if (!(error instanceof FileError) || error.errno !== EACCES) throw error;
    await root.removeFile(path);
  }
  if (file === undefined) return undefined;
  return locked(file, (opened) => usableBlocks(root, opened, path, size));
}

/** Locks the file and finds out what is kept in it; undefined, and closed, if it is not ours now. */
async function locked(
  file: OpenFile,
  kept: (file: OpenFile) => Promise<number | undefined>,
): Promise<Opened | undefined> {
  try {
    if (!(await file.lock())) {
      throw new TransferError('busy', 'another transfer is writing this file');
    }
    const keptBlocks = await kept(file);
    if (keptBlocks !== undefined) return { file, keptBlocks };
  } catch (error) {
    await file.close();
    throw error;
  }
  await file.close();
  return undefined;
}

/** Whole blocks that may be kept; undefined where the name isn't this file's any more. */
async function usableBlocks(
  root: RootDirectory,
  file: OpenFile,
  path: readonly string[],
  size: number,
): Promise<number | undefined> {
  const stat = await file.stat();
  if ((stat.mode & FILE_TYPE) !== REGULAR || Number(stat.uid) !== process.geteuid?.()) {
    throw new TransferError('target-failed', `${file.path} is in the way and not ours`);
  }
  // A second name would see what we write.
  if (stat.nlink !== 1n || !(await hasName(root, path, stat.ino))) {
    if (stat.nlink > 1n) await root.removeFile(path);
    return undefined;
  }
  const keptBlocks = Math.floor(Math.min(Number(stat.size), size) / BLOCK_BYTES);
  await file.truncate(keptBlocks * BLOCK_BYTES);
  return keptBlocks;
}

async function hasName(root: RootDirectory, path: readonly string[], inode: bigint) {
  const found = await root.findFile(path, FILE.O_PATH);
  if (found === undefined) return false;
  try {
    return (await found.stat()).ino === inode;
  } finally {
    await found.close();
  }
}
