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

function collect() {
  if (globalThis.Bun === undefined) globalThis.gc?.();
  else globalThis.Bun.gc(true);
}

function answer(line) {
  if (line !== 'gc') return;
  collect();
  process.stdout.write('collected\n');
}

/** Prints `ready PORT`; answers `gc` on stdin with `collected`; ends with stdin. */
export function ready(port) {
  process.stdin.on('data', (chunk) => chunk.toString().split('\n').forEach(answer));
  process.stdin.on('end', () => process.exit(0));
  process.stdout.write(`ready ${port}\n`);
}

/** Ends with a status that tells the harness to skip this role, and why. */
export function unavailable(reason) {
  process.stdout.write(`unavailable ${reason}\n`);
  process.exit(0);
}
