import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PRELUDE = `
import { execFileSync } from 'node:child_process';
import { serve, activatedSockets, notifySystemd } from ${url('./index.js')};
import { framed } from ${url('../framed/index.js')};
import { lengthPrefix, lines } from ${url('../codec/index.js')};
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
`;

function url(path: string): string {
  return JSON.stringify(new URL(path, import.meta.url).href);
}

/** A server in a process of its own, which says JSON values and takes signals. */
export class ServerProcess implements AsyncDisposable {
  readonly exit: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #errors = '';

  /**
   * @param script a module with serve, framed, codecs, activatedSockets, notifySystemd and
   *   say(value) in scope
   * @param under a command line to run node under
   */
  constructor(script: string, under: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
    const node = [process.execPath, '--input-type=module', '--eval', PRELUDE + script];
    const [command = '', ...args] = [...under, ...node];
    this.#child = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    const { stdout, stderr } = this.#child;
    if (stdout === null || stderr === null) throw new Error('no pipes');
    stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.exit = once(this.#child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  }

  /** What it wrote to stderr so far. */
  get errors(): string {
    return this.#errors;
  }

  /** The next value that it says. */
  async hear<Value>(): Promise<Value> {
    const { done, value } = await this.#lines.next();
    if (done === true) throw new Error(`the server ended without a word:\n${this.#errors}`);
    return JSON.parse(value) as Value;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.exit;
  }
}
