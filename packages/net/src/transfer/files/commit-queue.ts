import type { RootDirectory } from './root-directory.ts';
import { renameIn } from './root-directory.ts';

interface Commit {
  /** Absent where the file has its name already. */
  readonly names?: { readonly from: string; readonly to: string; readonly replace: boolean };
  resolve(): void;
  reject(error: unknown): void;
}

/**
 * Gives finished files their names. Renames that come while a directory is being synced wait for
 * the next round and share its fsync: one for many small files instead of one for each.
 */
export class CommitQueue {
  readonly #root: RootDirectory;
  readonly #waiting = new Map<string, { path: readonly string[]; commits: Commit[] }>();
  #isRunning = false;

  constructor(root: RootDirectory) {
    this.#root = root;
  }

  /** Resolves once the name is on the disk. The file's content must be there already. */
  rename(
    parent: readonly string[],
    names: { from: string; to: string },
    replace: boolean,
  ): Promise<void> {
    return this.#add(parent, { names: { ...names, replace } });
  }

  /** Resolves once the names in a directory are on the disk. */
  sync(parent: readonly string[]): Promise<void> {
    return this.#add(parent, {});
  }

  #add(parent: readonly string[], what: Pick<Commit, 'names'>): Promise<void> {
    return new Promise((resolve, reject) => {
      const key = parent.join('/');
      const group = this.#waiting.get(key) ?? { path: parent, commits: [] };
      group.commits.push({ ...what, resolve, reject });
      this.#waiting.set(key, group);
      if (!this.#isRunning) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.size > 0) {
      const groups = [...this.#waiting.values()];
      this.#waiting.clear();
      await Promise.all(groups.map(({ path, commits }) => this.#commit(path, commits)));
    }
    this.#isRunning = false;
  }

  async #commit(path: readonly string[], commits: readonly Commit[]): Promise<void> {
    const renamed: Commit[] = [];
    try {
      const parent = await this.#root.openDirectory(path);
      try {
        for (const commit of commits) {
          try {
            const { names } = commit;
            if (names !== undefined) await renameIn(parent, names, names.replace);
            renamed.push(commit);
          } catch (error) {
            commit.reject(error);
          }
        }
        if (renamed.length > 0) await parent.sync();
      } finally {
        await parent.close();
      }
      for (const commit of renamed) commit.resolve();
    } catch (error) {
      for (const commit of commits) commit.reject(error);
    }
  }
}
