import assert from 'node:assert/strict';
import { cpSync, mkdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { runNode, TemporaryDirectory } from '../testing/index.ts';

const installed = dirname(createRequire(import.meta.url).resolve('@sockeye/native/package.json'));
const built = join(installed, 'build/Release/sockeye_native.node');

/** A copy of the package as it would be published: without what the build made. */
function published(directory: TemporaryDirectory): string {
  const index = directory.file('index.mjs');
  cpSync(join(installed, 'index.js'), index);
  return index;
}

const use = (index: string): string => `
  const { native } = await import(${JSON.stringify(index)});
  console.log(native.descriptorLimit() > 0);`;

test('@sockeye/native loads the prebuilt binary that its package carries', async () => {
  using directory = new TemporaryDirectory();
  const libc = (process.report.getReport() as { header: { glibcVersionRuntime?: string } }).header
    .glibcVersionRuntime;
  const name = `${process.platform}-${process.arch}${libc === undefined ? '-musl' : '-glibc'}`;
  const folder = join(directory.path, 'prebuilds', name);
  mkdirSync(folder, { recursive: true });
  cpSync(built, join(folder, 'sockeye_native.node'));
  const { code, stdout } = await runNode(use(published(directory)));
  assert.deepEqual([code, stdout], [0, 'true\n']);
});

test('@sockeye/native says for which system it has no binary', async () => {
  using directory = new TemporaryDirectory();
  const { code, stderr } = await runNode(use(published(directory)));
  assert.equal(code, 1);
  assert.match(stderr, /Cannot load @sockeye\/native: no binary for \w+-\w+-\w+; build it/);
});

test('@sockeye/native under the permission model says which flag it needs', async () => {
  const flags = ['--experimental-permission', '--allow-fs-read=*'];
  const { stderr } = await runNode(use(join(installed, 'index.js')), { flags });
  assert.match(
    stderr,
    /Cannot load @sockeye\/native: the permission model is on; .*--allow-addons/,
  );
});
