import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

// As bash's HISTSIZE is where nobody sets it twice as high; arbitrary.
const MAX_LINES = 1000;

/** The lines that were typed in earlier sessions, kept in a file that only its owner can read. */
export class History {
  #file: string;
  #typed: string[] = [];

  constructor(file: string = historyFile()) {
    this.#file = file;
  }

  /** Newest first, as node:readline wants them. What can't be read is an empty history. */
  load(): string[] {
    return this.#read().toReversed();
  }

  /** Notes a line; one that begins with a space is not kept, as in a shell. */
  add(line: string): void {
    if (line === '' || line.startsWith(' ') || this.#typed.at(-1) === line) return;
    this.#typed.push(line);
  }

  /** Adds this session's lines to what others wrote meanwhile. No history is no reason to fail. */
  save(): void {
    if (this.#typed.length === 0) return;
    try {
      mkdirSync(dirname(this.#file), { recursive: true, mode: 0o700 });
      const lines = [...this.#read(), ...this.#typed].slice(-MAX_LINES);
      const temporary = `${this.#file}.${process.pid}`;
      writeFileSync(temporary, `${lines.join('\n')}\n`, { mode: 0o600 });
      renameSync(temporary, this.#file);
      this.#typed = [];
    } catch {
      // A home that is read-only or full.
    }
  }

  #read(): string[] {
    try {
      return readFileSync(this.#file, 'utf8')
        .split('\n')
        .filter((line) => line !== '');
    } catch {
      return [];
    }
  }
}

/** Source: XDG Base Directory Specification 0.8; a relative path there is to be ignored. */
function historyFile(): string {
  const state = process.env['XDG_STATE_HOME'];
  const base = state?.startsWith('/') ? state : join(homedir(), '.local/state');
  return join(base, 'sockeye/history');
}
