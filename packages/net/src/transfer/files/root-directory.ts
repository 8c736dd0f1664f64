import { native } from '@sockeye/native';
import { ENOENT, ENOSYS } from '../../constants/index.ts';
import { TransferError } from '../transfer-error.ts';
import { BENEATH, FILE } from './file-constants.ts';
import { checked, FileError } from './file-error.ts';
import { OpenFile } from './open-file.ts';

/** The names of a path that was checked, as one. */
function joined(path: readonly string[]): string {
  return path.length === 0 ? '.' : path.join('/');
}

function parentOf(path: readonly string[]): readonly string[] {
  return path.slice(0, -1);
}

function nameOf(path: readonly string[]): string {
  return path.at(-1) ?? '.';
}

/**
 * A directory below which files are read or written. Its descriptor stands for it: everything below
 * is reached through openat2(2), which follows no link and never leaves it, or by a single name in
 * a directory that was opened so. No path is looked up after the root is open (safety.md 15).
 */
export class RootDirectory {
  readonly #directory: OpenFile;

  private constructor(directory: OpenFile) {
    this.#directory = directory;
  }

  /**
   * Opens the root. The path to it may have links: it is the caller's own.
   *
   * @throws TransferError `unsupported` where the system has no openat2; FileError
   */
  static async open(path: string): Promise<RootDirectory> {
    const flags = FILE.O_RDONLY | FILE.O_DIRECTORY;
    const fd = await native.openat2(FILE.AT_FDCWD, path, flags, 0, 0);
    if (fd === -ENOSYS) {
      throw new TransferError(
        'unsupported',
        `Cannot open ${JSON.stringify(path)}: openat2(2) is missing (Linux 5.6 and later have it; some sandboxes forbid it), and without it names can't be kept inside`,
      );
    }
    return new RootDirectory(new OpenFile(checked('openat2', path, fd), path));
  }

  /** Where it is, as the caller named it. */
  get path(): string {
    return this.#directory.path;
  }

  /** Opens what lies below. @throws FileError ELOOP for a link, EXDEV for a way out, … */
  async openFile(path: readonly string[], flags: number, mode = 0): Promise<OpenFile> {
    const name = joined(path);
    const result = await native.openat2(this.#directory.fd, name, flags, mode, BENEATH);
    return new OpenFile(checked('openat2', name, result), name);
  }

  /** The same, or undefined where there is none. */
  async findFile(path: readonly string[], flags: number): Promise<OpenFile | undefined> {
    try {
      return await this.openFile(path, flags);
    } catch (error) {
      if (error instanceof FileError && error.errno === ENOENT) return undefined;
      throw error;
    }
  }

  openDirectory(path: readonly string[]): Promise<OpenFile> {
    return this.openFile(path, FILE.O_RDONLY | FILE.O_DIRECTORY);
  }

  /**
   * Makes directories below, in the plan's order, and their names durable: 0 or -errno for each; 0 for
   * one that is there already.
   */
  makeDirectories(plan: Uint8Array): Promise<Int32Array> {
    return this.#batch((fd) => native.makeDirectories(fd, plan));
  }

  /** Gives directories that have the mode `working` their own and their time: 0 or -errno for each. */
  finishDirectories(plan: Uint8Array, working: number): Promise<Int32Array> {
    return this.#batch((fd) => native.finishDirectories(fd, plan, working));
  }

  /**
   * All names in directories below, as records for `parseListing`; undefined for one that has too many
   * for that, or can't be listed.
   */
  async listDirectories(plan: Uint8Array): Promise<(Uint8Array | undefined)[]> {
    const listed = await this.#directory.use((fd) => native.listDirectories(fd, plan));
    if (typeof listed === 'number') throw new FileError('getdents64', -listed, this.path);
    const bytes = Buffer.from(listed.buffer);
    const listings: (Uint8Array | undefined)[] = [];
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.readInt32LE(at);
      at += 4;
      listings.push(length < 0 ? undefined : bytes.subarray(at, at + length));
      at += Math.max(length, 0);
    }
    return listings;
  }

  async #batch(call: (fd: number) => Promise<Uint8Array | number>): Promise<Int32Array> {
    const results = await this.#directory.use(call);
    if (typeof results === 'number') throw new FileError('openat2', -results, this.path);
    return errnosOf(results);
  }

  /** Removes a file; nothing happens where there is none. */
  async removeFile(path: readonly string[]): Promise<void> {
    await this.inParent(path, async (parent, name) => {
      const result = await native.unlinkat(parent.fd, name, 0);
      if (result !== -ENOENT) checked('unlinkat', joined(path), result);
    });
  }

  /** Calls `use` with the directory above a path, opened now, and the path's last name. */
  async inParent<Result>(
    path: readonly string[],
    use: (parent: OpenFile, name: string) => Promise<Result>,
  ): Promise<Result> {
    const parent = await this.openDirectory(parentOf(path));
    try {
      return await use(parent, nameOf(path));
    } finally {
      await parent.close();
    }
  }

  /** Reads files of one directory below in one go, as the plan says; undefined where it can't be. */
  async readFiles(parent: readonly string[], plan: Uint8Array): Promise<Buffer | undefined> {
    const read = await this.#directory.use((fd) => native.readFiles(fd, joined(parent), plan));
    return typeof read === 'number' ? undefined : Buffer.from(read.buffer);
  }

  /** Writes new files into one directory below, as the plan says: 0 or -errno for each. @throws FileError */
  async putFiles(parent: readonly string[], plan: Uint8Array): Promise<Int32Array> {
    const path = joined(parent);
    const results = await this.#directory.use((fd) => native.putFiles(fd, path, plan));
    if (typeof results === 'number') throw new FileError('openat2', -results, path);
    return errnosOf(results);
  }

  /** Bytes and files that the file system has room for. */
  async room(): Promise<{ availableBytes: number; availableFiles: number }> {
    const result = await native.fstatvfs(this.#directory.fd);
    if (typeof result === 'number') throw new FileError('fstatvfs', -result, this.path);
    return result;
  }

  close(): Promise<void> {
    return this.#directory.close();
  }
}

function errnosOf(results: Uint8Array): Int32Array {
  const bytes = Buffer.from(results.buffer);
  return Int32Array.from({ length: bytes.length / 4 }, (_, i) => bytes.readInt32LE(4 * i));
}

/** The next names in an open directory, as records for `parseListing`; empty at the end. */
export async function listSome(directory: OpenFile): Promise<Uint8Array> {
  const records = await directory.use((fd) => native.listDirectory(fd));
  if (typeof records === 'number') throw new FileError('getdents64', -records, directory.path);
  return records;
}

/** Renames inside one directory. @throws FileError EEXIST where `replace` is false and it is there */
export async function renameIn(
  directory: OpenFile,
  names: { from: string; to: string },
  replace: boolean,
): Promise<void> {
  const flags = replace ? 0 : FILE.RENAME_NOREPLACE;
  const { fd } = directory;
  checked('renameat2', names.to, await native.renameat2(fd, names.from, fd, names.to, flags));
}
