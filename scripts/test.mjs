// Runs the compiled tests: all, or those whose path contains one of the words given.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));

/** Compiled tests outlive a deleted source; only those with a source count. */
function tests(dist, source) {
  if (!existsSync(dist)) return [];
  return readdirSync(dist, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => existsSync(join(source, name.replace(/\.js$/, '.ts'))))
    .map((name) => join(dist, name));
}

const files = ['net', 'cli']
  .flatMap((name) =>
    tests(join(root, 'packages', name, 'dist'), join(root, 'packages', name, 'src')),
  )
  .filter(
    (file) => words.length === 0 || words.some((word) => relative(root, file).includes(word)),
  );
if (files.length === 0) {
  console.error(`no test matches: ${words.join(' ')}`);
  process.exit(1);
}
const { status } = spawnSync(
  process.execPath,
  ['--enable-source-maps', '--expose-gc', '--test', '--test-concurrency=4', ...flags, ...files],
  { cwd: root, stdio: 'inherit' },
);
process.exit(status ?? 1);
