import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from 'node:child_process';
import { once, setMaxListeners } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

/** The command as users run it. */
export const COMMAND = fileURLToPath(new URL('../bin/sockeye.js', import.meta.url));

// Long enough for a machine that runs everything at once; a test that waits for it has failed.
const PATIENCE_MS = 20_000;

/** How a process ended. */
export interface Outcome {
  /** The exit status; null when a signal ended it. */
  readonly status: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process that runs, with all that it has printed so far. */
export class Running {
  readonly child: ChildProcessWithoutNullStreams;
  stdout = Buffer.alloc(0);
  stderr = '';
  readonly #name: string;
  readonly #changed = new EventTarget();
  readonly #ended: Promise<void>;

  constructor(t: TestContext, file: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#name = [file, ...args].join(' ');
    this.child = spawn(file, args, { env: { ...process.env, ...env } });
    this.child.stdout.on('data', (chunk: Buffer) => {
      this.stdout = Buffer.concat([this.stdout, chunk]);
      this.#changed.dispatchEvent(new Event('change'));
    });
    this.child.stderr.on('data', (chunk: Buffer) => {
      this.stderr += chunk.toString();
      this.#changed.dispatchEvent(new Event('change'));
    });
    this.child.stdin.on('error', () => undefined);
    this.#ended = once(this.child, 'close').then(() => {
      this.#changed.dispatchEvent(new Event('change'));
    });
    t.after(() => this.child.kill('SIGKILL'));
  }

  /** Waits until `find` finds something in what was printed. */
  async until<Found>(find: (running: this) => Found | undefined | null | false): Promise<Found> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    setMaxListeners(0, deadline);
    for (;;) {
      const found = find(this);
      if (found !== undefined && found !== null && found !== false) return found;
      if (this.child.exitCode !== null || deadline.aborted) throw this.#disappointed();
      await Promise.race([once(this.#changed, 'change'), once(deadline, 'abort')]);
    }
  }

  async exit(): Promise<Outcome> {
    const deadline = AbortSignal.timeout(PATIENCE_MS);
    await Promise.race([this.#ended, once(deadline, 'abort')]);
    const { exitCode, signalCode } = this.child;
    if (exitCode === null && signalCode === null) throw this.#disappointed();
    return {
      status: exitCode,
      signal: signalCode,
      stdout: this.stdout.toString(),
      stderr: this.stderr,
    };
  }

  #disappointed(): Error {
    const { exitCode } = this.child;
    const state = exitCode === null ? 'still runs' : `ended with ${exitCode}`;
    return new Error(
      `${this.#name} ${state}\nstdout: ${this.stdout.toString()}\nstderr: ${this.stderr}`,
    );
  }
}

/** Starts the command. */
export function start(t: TestContext, ...args: string[]): Running {
  return new Running(t, process.execPath, [COMMAND, ...args]);
}

/** Runs the command to its end, with `input` on its stdin. */
export async function run(
  t: TestContext,
  args: readonly string[],
  input: string | Uint8Array = '',
): Promise<Outcome> {
  const running = start(t, ...args);
  running.child.stdin.end(input);
  return await running.exit();
}

/** A server of ours that listens. */
export interface Served extends Running {
  /** Its addresses, with the ports that the kernel chose. */
  readonly addresses: readonly string[];
  /** The ports of those that have one. */
  readonly ports: readonly number[];
}

/** Starts a command that listens and waits until it does, on that many addresses. */
export async function startListening(
  t: TestContext,
  args: readonly string[],
  count: number = 1,
): Promise<Served> {
  const running = start(t, ...args);
  const found = await running.until(({ stderr }) => {
    const lines = [...stderr.matchAll(/^listening on (\S+)\n/gm)].map(
      ([, address = '']) => address,
    );
    return lines.length >= count && lines;
  });
  const ports = found.flatMap((address) => /:(\d+)$/.exec(address)?.[1] ?? []).map(Number);
  return Object.assign(running, { addresses: found, ports });
}

/** Starts `sockeye serve` and waits until it listens on all of its addresses. */
export function serve(
  t: TestContext,
  addresses: readonly string[],
  ...args: string[]
): Promise<Served> {
  return startListening(t, ['serve', ...addresses, ...args], addresses.length);
}

/** A port that was free a moment ago, for programs that can't tell which one they were given. */
export async function freePort(t: TestContext): Promise<number> {
  const server = await serve(t, ['127.0.0.1:0']);
  server.child.kill('SIGTERM');
  await server.exit();
  const [port] = server.ports;
  if (port === undefined) throw new Error('it listens nowhere');
  return port;
}

/** The only address of a command that listens. */
export function addressOf({ addresses: [address] }: Served): string {
  if (address === undefined) throw new Error('it listens nowhere');
  return address;
}

/** Files of a certificate for localhost and 127.0.0.1, made by openssl. */
export function certificate(directory: string): { readonly cert: string; readonly key: string } {
  const cert = join(directory, 'cert.pem');
  const key = join(directory, 'key.pem');
  const { status, stderr } = spawnSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-keyout',
      key,
      '-out',
      cert,
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=DNS:localhost,IP:127.0.0.1',
    ],
    { encoding: 'utf8' },
  );
  if (status !== 0) throw new Error(`openssl ended with ${status}: ${stderr}`);
  return { cert, key };
}

/** Runs a Python program to its end and returns what it printed; fails when it does. */
export async function python(
  t: TestContext,
  program: string,
  ...args: readonly (string | number)[]
): Promise<string> {
  const { status, stdout, stderr } = await startPython(t, program, ...args).exit();
  if (status !== 0) throw new Error(`python3 ended with ${status}: ${stderr}`);
  return stdout;
}

/** Starts a Python program; `import socket` and `sys` are done. */
export function startPython(
  t: TestContext,
  program: string,
  ...args: readonly (string | number)[]
): Running {
  const whole = `import socket, sys\n${program}`;
  return new Running(t, 'python3', ['-u', '-c', whole, ...args.map(String)]);
}

/** A directory that goes away with the test; its path is short enough for a Unix socket. */
export function temporaryDirectory(t: TestContext): string {
  const directory = mkdtempSync(join(tmpdir(), 'sockeye-'));
  t.after(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** Why a program can't take part; false if it can. For a test's `skip`. */
export function missing(program: string): string | false {
  const { error } = spawnSync(program, [program === 'openssl' ? 'version' : '-h'], {
    stdio: 'ignore',
  });
  return error === undefined ? false : `${program} is not installed`;
}

/**
 * What a peer in Python's hands does with its connection `c`: it sends what it reads on stdin, in
 * Python's notation (`\\xe4`), and prints what it receives; the line `close` ends its side.
 */
export const PYTHON_TALK = `import threading
def receive():
    while data := c.recv(1000): print('received', repr(data.decode()))
    print('received the end')
threading.Thread(target=receive).start()
for line in sys.stdin:
    if line == 'close\\n': c.shutdown(socket.SHUT_WR)
    else: c.sendall(eval("b'" + line[:-1] + "'"))`;
