// Runs the compiled tests: all, or those whose path contains one of the words given.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const words = process.argv.slice(2).filter((argument) => !argument.startsWith('--'));
const flags = process.argv.slice(2).filter((argument) => argument.startsWith('--'));
// A test, or a whole file, that takes longer hangs.
const TIMEOUT_MS = 600_000;

/** Compiled tests outlive a deleted source; only those with a source count. */
function tests(dist, source) {
  if (!existsSync(dist)) return [];
  return readdirSync(dist, { recursive: true })
    .filter((name) => name.endsWith('.test.js'))
    .filter((name) => existsSync(join(source, name.replace(/\.js$/, '.ts'))))
    .map((name) => join(dist, name));
}

/** The runner's own count of what passed, failed and was skipped. */
function counts(report) {
  const count = (name) =>
    Number(new RegExp(`^# ${name} (\\d+)$`, 'm').exec(readFileSync(report, 'utf8'))?.[1] ?? 0);
  return `${count('pass')} passed, ${count('fail') + count('cancelled')} failed, ${count('skipped')} skipped`;
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
const reports = mkdtempSync(join(tmpdir(), 'sockeye-test-'));
const report = join(reports, 'tap');
const { status } = spawnSync(
  process.execPath,
  [
    '--enable-source-maps',
    '--expose-gc',
    '--test',
    '--test-concurrency=4',
    `--test-timeout=${TIMEOUT_MS}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${report}`,
    ...flags,
    ...files,
  ],
  { cwd: root, stdio: 'inherit' },
);
console.log(counts(report));
rmSync(reports, { recursive: true });
process.exit(status ?? 1);
