import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

// Beyond the warm-up and the window: connecting, the last answers, a stall (10 s).
const GRACE_MS = 30_000;

/** Runs the generator to its end; its result. */
export async function runLoad([file, ...args], windowMs) {
  const held = await holdLoad([file, ...args], windowMs);
  await held.release();
  return held.result;
}

/** Runs the generator until it prints its result; `release` ends one that still holds. */
export async function holdLoad([file, ...args], windowMs) {
  const child = spawn(file, args.map(String), { stdio: ['pipe', 'pipe', 'pipe'] });
  const killer = setTimeout(() => child.kill('SIGKILL'), windowMs + GRACE_MS);
  let errors = '';
  child.stderr.on('data', (chunk) => (errors += chunk));
  child.stdin.on('error', () => {});
  const ended = new Promise((resolve) => child.once('close', resolve));
  const { value } = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  const release = async () => {
    child.stdin.end();
    await ended;
    clearTimeout(killer);
  };
  if (value === undefined) {
    await release();
    throw new Error(errors.trim() || 'load: ended without a result');
  }
  return { result: JSON.parse(value), release };
}
