import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const PRELUDE = `
import array, base64, errno, json, os, select, socket, struct, sys, threading, time

def say(value):
    'Tells the test a value, as JSON.'
    print(json.dumps(value), flush=True)

def hear():
    'Waits for the next value that the test says.'
    line = sys.stdin.readline()
    if not line:
        raise EOFError('the test is gone')
    return json.loads(line)

def receive_exactly(source, size):
    data = b''
    while len(data) < size:
        chunk = source.recv(size - len(data))
        if not chunk:
            raise EOFError(f'the stream ended after {len(data)} of {size} bytes')
        data += chunk
    return data
`;

/**
 * A Python program as the other end, with which the test exchanges JSON values.
 *
 * The script has `socket` and the usual modules imported, `args` (the test's values),
 * `say(value)`, `hear()` and `receive_exactly(socket, size)`. Leaving the scope ends it. Every
 * wait fails with the script's traceback when the script has failed.
 *
 * @example
 * await using peer = new PythonPeer(`
 * server = socket.create_server(('127.0.0.1', 0))
 * say(server.getsockname()[1])
 * connection, _ = server.accept()
 * connection.sendall(b'hello ' + connection.recv(100))
 * `);
 * const port = await peer.hear<number>();
 */
export class PythonPeer implements AsyncDisposable {
  #child: ChildProcess;
  #lines: AsyncIterator<string>;
  #errors = '';
  #exit: Promise<number | null>;

  /** @param args values that the script finds in `args` */
  constructor(script: string, ...args: unknown[]) {
    // Scripts are indented as the test's code is.
    const program = `${PRELUDE}\nargs = json.loads(sys.argv[1])\n${dedent(script)}`;
    this.#child = spawn('python3', ['-I', '-c', program, JSON.stringify(args)], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const { stdin, stdout, stderr } = this.#child;
    if (stdin === null || stdout === null || stderr === null) throw new Error('no pipes');
    // The script may be over before it has read everything.
    stdin.on('error', () => undefined);
    stderr.setEncoding('utf8').on('data', (text: string) => (this.#errors += text));
    this.#lines = createInterface({ input: stdout })[Symbol.asyncIterator]();
    this.#exit = once(this.#child, 'close').then(([code]) => code as number | null);
  }

  /** Tells the script's next `hear()` a value. */
  say(value: unknown): void {
    this.#child.stdin?.write(`${JSON.stringify(value)}\n`);
  }

  /** The next value that the script says. */
  async hear<Value = unknown>(): Promise<Value> {
    const { done, value } = await this.#lines.next();
    if (done === true) {
      await this.#exit;
      throw new Error(`python3 ended without a word:\n${this.#errors}`);
    }
    return JSON.parse(value) as Value;
  }

  /** Waits until the script is over; fails unless it ended well. */
  async end(): Promise<void> {
    this.#child.stdin?.end();
    const code = await this.#exit;
    if (code !== 0) throw new Error(`python3 exited with ${code}:\n${this.#errors}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#exit;
  }
}

function dedent(script: string): string {
  const lines = script.split('\n');
  const indents = lines.filter((line) => line.trim() !== '').map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return lines.map((line) => line.slice(indent)).join('\n');
}
