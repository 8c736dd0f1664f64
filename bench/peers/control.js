// What every JavaScript peer shares, on Node, Bun and Deno alike: its options,
// and its conversation with the harness over stdin and stdout.
import process from 'node:process';

/** The value after `--name`, or undefined. */
export function option(name) {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? undefined : process.argv[at + 1];
}

/** Whether `--name` is there. */
export function flag(name) {
  return process.argv.includes(`--${name}`);
}

/**
 * Collects, and gives back what the collector keeps for the next burst. gc() alone leaves V8 the 16 to
 * 24 MiB that young objects took; V8 lets go of them by itself when the process has idled for 10 to 30 s.
 */
async function collect() {
  if (globalThis.Bun !== undefined) globalThis.Bun.gc(true);
  else if (globalThis.Deno !== undefined) {
    globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  } else await collectOnNode();
}

// Node 20's gc() knows no flavor; the inspector's command is what DevTools' dustbin sends.
async function collectOnNode() {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  await session.post('HeapProfiler.collectGarbage');
  session.disconnect();
}

async function answer(line) {
  if (line !== 'gc') return;
  await collect();
  process.stdout.write('collected\n');
}

/** Prints `ready PORT`; answers `gc` on stdin with `collected`; ends with stdin. */
export function ready(port) {
  process.stdin.on('data', (chunk) =>
    chunk
      .toString()
      .split('\n')
      .forEach((line) => void answer(line)),
  );
  process.stdin.on('end', () => process.exit(0));
  process.stdout.write(`ready ${port}\n`);
}

/** Ends with a status that tells the harness to skip this role, and why. */
export function unavailable(reason) {
  process.stdout.write(`unavailable ${reason}\n`);
  process.exit(0);
}
