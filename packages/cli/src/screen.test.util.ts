import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { COMMAND } from './command.test.util.ts';

const PATIENCE_MS = 20_000;
const POLL_MS = 20;

/** What a screen differs in. */
export interface ScreenOptions {
  /** What sh runs, with the command as "$0" "$@". */
  readonly script?: string;
}

/** A terminal of tmux's in which the command runs; `status N` appears when it has ended. */
export class Screen {
  readonly #socket: string;

  constructor(
    t: TestContext,
    args: readonly string[],
    directory: string,
    { script = 'trap : INT; "$0" "$@"; echo "status $?"; exec cat' }: ScreenOptions = {},
  ) {
    const own = mkdtempSync(join(tmpdir(), 'sockeye-tmux-'));
    this.#socket = join(own, 'socket');
    const command = ['sh', '-c', script, process.execPath, COMMAND, ...args];
    const all = { XDG_STATE_HOME: directory, LC_ALL: 'C.UTF-8' };
    const flags = Object.entries(all).flatMap(([name, value]) => ['-e', `${name}=${value}`]);
    const size = ['-x', '40', '-y', '12'];
    this.#tmux('-f', '/dev/null', 'new-session', '-d', ...size, ...flags, ...command);
    t.after(() => {
      this.#tmux('kill-server');
      rmSync(own, { recursive: true, force: true });
    });
  }

  #tmux(...args: string[]): string {
    return execFileSync('tmux', ['-u', '-S', this.#socket, ...args], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
  }

  /** Types text as it is. */
  type(text: string): void {
    this.#tmux('send-keys', '-l', text);
  }

  /** Pastes text at once; each newline is a press of Enter. */
  paste(text: string): void {
    this.#tmux('set-buffer', text);
    this.#tmux('paste-buffer');
  }

  /** Presses keys by name: Enter, Left, C-c. */
  press(...keys: string[]): void {
    this.#tmux('send-keys', ...keys);
  }

  lines(): string[] {
    const text = this.#tmux('capture-pane', '-p').trimEnd();
    return text.split('\n').map((line) => line.trimEnd());
  }

  /** Waits until the last lines of the screen are these; tmux has no event to wait for. */
  async ends(...expected: string[]): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const last = this.lines().slice(-expected.length);
      if (last.join('\n') === expected.join('\n')) return;
      if (performance.now() > deadline) assert.deepEqual(this.lines(), expected);
      await pause(POLL_MS);
    }
  }

  /** Waits until the screen's text matches. */
  async shows(pattern: RegExp): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    for (;;) {
      const text = this.lines().join('\n');
      if (pattern.test(text)) return;
      if (performance.now() > deadline) assert.match(text, pattern);
      await pause(POLL_MS);
    }
  }
}
