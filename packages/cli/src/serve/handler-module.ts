import { type FSWatcher, watch } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Handler } from '@sockeye/net/server';
import { CommandError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';
import { moduleProblem } from '../module-problem.ts';
import type { Reporter } from './reporter.ts';
import type { Session } from './conversation.ts';

// An editor writes a file in several steps; arbitrary.
const SETTLED_MS = 50;

/**
 * A handler of the user's own: the default export of a module, as `serve()` of `@sockeye/net/server`
 * takes it. `watch` loads it again when its file changes; connections that are open keep theirs.
 */
export class HandlerModule implements Disposable {
  #file: string;
  #handler: Handler;
  #version = 0;
  #watcher: FSWatcher | undefined;
  #timer: NodeJS.Timeout | undefined;
  #onRejection: (error: unknown) => void = () => undefined;

  private constructor(file: string, handler: Handler) {
    this.#file = file;
    this.#handler = handler;
  }

  /** @throws CommandError with the one line that says why it can't be loaded */
  static async load(file: string): Promise<HandlerModule> {
    return new HandlerModule(file, await loadHandler(file, 0));
  }

  /** What each new connection gets. */
  readonly session: Session = async (conversation) => {
    const handler = this.#handler;
    const connection = conversation.isPlain ? conversation.connection : conversation;
    await handler(connection, connection.remote);
  };

  /** Loads the file again whenever it changes. What it imports stays as it is. */
  watch(reporter: Reporter): void {
    const name = basename(this.#file);
    // The directory, since an editor may replace the file.
    this.#watcher = watch(dirname(resolve(this.#file)), (_event, changed) => {
      if (changed !== name) return;
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => void this.#reload(reporter), SETTLED_MS);
    }).unref();
  }

  async #reload(reporter: Reporter): Promise<void> {
    try {
      this.#handler = await loadHandler(this.#file, ++this.#version);
      reporter.tell({ type: 'reloaded', module: this.#file });
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      reporter.tell({ type: 'warning', message: `${reason}; the one before goes on` });
    }
  }

  /**
   * Tells of promises that nobody awaits, such as a `sendall` to a client that has left: they would
   * end the process, and with it every other client.
   */
  tellOfRejections(reporter: Reporter): void {
    this.#onRejection = (error) =>
      reporter.warn(
        'promise',
        `a promise that ${this.#file} did not await failed: ${reasonOf(error)}`,
      );
    process.on('unhandledRejection', this.#onRejection);
  }

  [Symbol.dispose](): void {
    process.off('unhandledRejection', this.#onRejection);
    clearTimeout(this.#timer);
    this.#watcher?.close();
  }
}

async function loadHandler(file: string, version: number): Promise<Handler> {
  const url = pathToFileURL(resolve(file));
  // A module is loaded once for each URL.
  if (version > 0) url.searchParams.set('version', String(version));
  let loaded: Record<string, unknown>;
  try {
    loaded = (await import(url.href)) as Record<string, unknown>;
  } catch (error) {
    throw new CommandError(`cannot load --module ${file}: ${moduleProblem(error, file)}`, 1, {
      cause: error,
    });
  }
  if (typeof loaded['default'] === 'function') return loaded['default'] as Handler;
  throw new CommandError(`cannot load --module ${file}: ${exportProblem(loaded)}`);
}

function exportProblem(loaded: Record<string, unknown>): string {
  const expected = 'expected: export default async (connection) => { … }';
  if ('default' in loaded) return `its default export is ${kindOf(loaded['default'])}; ${expected}`;
  const named = Object.keys(loaded).find((name) => typeof loaded[name] === 'function');
  const has = named === undefined ? 'it has no default export' : `it exports ${named} by name only`;
  return `${has}; ${expected}`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}
