import { setImmediate } from 'node:timers/promises';
import type { Entry } from '../protocol/message.ts';
import { FileError } from './file-error.ts';
import { PlanWriter } from './plan-writer.ts';
import type { RootDirectory } from './root-directory.ts';

/**
 * The mode of a directory that isn't finished: the sticky bit, which changes nothing where only the
 * owner may write, tells ours from a private directory that was there before.
 */
const WORKING_MODE = 0o1700;

interface Make {
  readonly path: readonly string[];
  resolve(): void;
  reject(error: unknown): void;
}

// A plan is copied when its call begins.
const plan = new PlanWriter();

/**
 * Directories of a transfer: made with a mode by which the next run knows them, finished when all in
 * them is there. Those that come while some are being made wait for them and share their syncs.
 */
export class MadeDirectories {
  readonly #root: RootDirectory;
  #waiting: Make[] = [];
  #isRunning = false;

  constructor(root: RootDirectory) {
    this.#root = root;
  }

  /** Resolves once a directory is there and its name durable. @throws FileError */
  make(path: readonly string[]): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ path, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) {
      // What one read of the connection brought belongs together.
      await setImmediate();
      await this.#makeAll(this.#waiting.splice(0));
    }
    this.#isRunning = false;
  }

  async #makeAll(makes: readonly Make[]): Promise<void> {
    try {
      for (const { path } of makes) plan.number(WORKING_MODE, 4).name(path.join('/'));
      const results = await this.#root.makeDirectories(plan.plan());
      makes.forEach((make, i) => {
        const error = failureOf('mkdirat', results[i] as number, make.path);
        if (error === undefined) make.resolve();
        else make.reject(error);
      });
    } catch (error) {
      for (const make of makes) make.reject(error);
    }
  }

  /**
   * Gives directories their mode and time, unless they were there before, and makes them durable: an
   * error, or undefined, for each. They are children before parents.
   */
  async finish(entries: readonly Entry[]): Promise<readonly (FileError | undefined)[]> {
    for (const { path, mode, mtimeSeconds, mtimeNanoseconds } of entries) {
      plan
        .number(mode & 0o777, 4)
        .number(mtimeSeconds, 8)
        .number(mtimeNanoseconds, 4)
        .name(path.join('/'));
    }
    const results = await this.#root.finishDirectories(plan.plan(), WORKING_MODE);
    return entries.map(({ path }, i) => failureOf('fsync', results[i] as number, path));
  }
}

function failureOf(call: string, result: number, path: readonly string[]): FileError | undefined {
  return result < 0 ? new FileError(call, -result, path.join('/')) : undefined;
}
