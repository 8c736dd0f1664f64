import { setImmediate } from 'node:timers/promises';
import { EEXIST, EMFILE, ENFILE } from '../../constants/index.ts';
import type { Entry } from '../protocol/message.ts';
import { FileError } from './file-error.ts';
import { PlanWriter } from './plan-writer.ts';
import type { RootDirectory } from './root-directory.ts';
import { temporaryName } from './temporary-name.ts';

// Each holds a descriptor until the batch is over. Arbitrary.
const MAX_FILES = 256;

interface Put {
  readonly entry: Entry;
  readonly content: Uint8Array;
  resolve(written: boolean): void;
  reject(error: unknown): void;
}

// The file needs another way: something has its name, or there are too many open files now.
const ANOTHER_WAY: ReadonlySet<number> = new Set([EEXIST, EMFILE, ENFILE]);

/**
 * Writes whole small files. Those that come while a batch of their directory is being written wait
 * for the next one, and share its two syncs: the order of safety.md's 16 for all of them at once.
 */
export class PutQueue {
  readonly #root: RootDirectory;
  readonly #waiting = new Map<string, { path: readonly string[]; puts: Put[] }>();

  constructor(root: RootDirectory) {
    this.#root = root;
  }

  /** True once the file is durable under its name; false where it has to be received otherwise. */
  put(entry: Entry, content: Uint8Array): Promise<boolean> {
    return new Promise((resolve, reject) => {
      const path = entry.path.slice(0, -1);
      const key = path.join('/');
      const group = this.#waiting.get(key);
      const put = { entry, content, resolve, reject };
      if (group !== undefined) {
        group.puts.push(put);
        return;
      }
      const started = { path, puts: [put] };
      this.#waiting.set(key, started);
      void this.#run(key, started);
    });
  }

  async #run(key: string, group: { path: readonly string[]; puts: Put[] }): Promise<void> {
    while (group.puts.length > 0) {
      // What one read of the connection brought belongs together.
      await setImmediate();
      await this.#putAll(group.path, group.puts.splice(0, MAX_FILES));
    }
    this.#waiting.delete(key);
  }

  async #putAll(path: readonly string[], puts: readonly Put[]): Promise<void> {
    try {
      const results = await this.#root.putFiles(path, planOf(puts));
      puts.forEach((put, i) => {
        const errno = -(results[i] as number);
        if (errno === 0) put.resolve(true);
        else if (ANOTHER_WAY.has(errno)) put.resolve(false);
        else put.reject(new FileError('write', errno, put.entry.path.join('/')));
      });
    } catch (error) {
      for (const put of puts) put.reject(error);
    }
  }
}

// A plan is copied when its call begins.
const plan = new PlanWriter();

function planOf(puts: readonly Put[]): Buffer {
  for (const { entry, content } of puts) {
    plan
      .number(content.length, 4)
      .number(entry.mode & 0o777, 4)
      .number(entry.mtimeSeconds, 8)
      .number(entry.mtimeNanoseconds, 4)
      .name(temporaryName(entry))
      .name(entry.path.at(-1) as string)
      .bytes(content);
  }
  return plan.plan();
}
