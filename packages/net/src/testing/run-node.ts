import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** How a child process ended. */
export interface Outcome {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of `runNode`. */
export interface RunOptions {
  /** Arguments of node's own, such as --expose-gc. */
  readonly flags?: readonly string[];
  /** A command to run node under, such as ['strace', '-f']. */
  readonly under?: readonly string[];
  /** The child is killed after this, and its `signal` says so. Default 10,000. */
  readonly timeoutMs?: number;
}

/**
 * Runs an ES module in a process of its own, for what a test can't do to itself: exit, crash, run
 * out of descriptors.
 */
export async function runNode(source: string, options: RunOptions = {}): Promise<Outcome> {
  const { flags = [], under = [], timeoutMs = 10_000 } = options;
  const command = [process.execPath, ...flags, '--input-type=module', '-e', source];
  const [program, ...rest] = [...under, ...command] as [string, ...string[]];
  const child = spawn(program, rest, {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  return { code, signal, stdout, stderr };
}
