import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { needs, TemporaryDirectory } from '../../testing/index.ts';
import type { Entry } from '../protocol/message.ts';
import { MadeDirectories } from './made-directories.ts';
import { RootDirectory } from './root-directory.ts';

function directory(path: readonly string[], mode = 0o755): Entry {
  const times = { mtimeSeconds: 1_000_000_000, mtimeNanoseconds: 5 };
  return { id: 0, kind: 'directory', path, size: 0, mode, ...times, sparse: false };
}

test(
  'MadeDirectories gives what it made mode and time, and leaves what was there as it was',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    mkdirSync(place.file('old'));
    chmodSync(place.file('old'), 0o711);
    utimesSync(place.file('old'), 7, 7);
    const root = await RootDirectory.open(place.path);
    const made = new MadeDirectories(root);
    const paths = [['new'], ['new', 'below'], ['old'], ['new', 'below', '深い']];
    await Promise.all(paths.map((path) => made.make(path)));
    assert.equal(statSync(place.file('new/below')).mode & 0o7777, 0o1700);
    const entries = paths.toReversed().map((path) => directory(path, 0o2750));
    assert.deepEqual(await made.finish(entries), [undefined, undefined, undefined, undefined]);
    for (const name of ['new', 'new/below', 'new/below/深い']) {
      const { mode, mtimeMs } = statSync(place.file(name));
      assert.deepEqual([mode & 0o7777, Math.floor(mtimeMs)], [0o750, 1e12], name);
    }
    const old = statSync(place.file('old'));
    assert.deepEqual([old.mode & 0o7777, old.mtimeMs], [0o711, 7000]);
    await root.close();
  },
);

test(
  'MadeDirectories makes nothing outside, and says for each what was wrong',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    mkdirSync(place.file('root'));
    mkdirSync(place.file('outside'));
    symlinkSync('../outside', place.file('root/link'));
    writeFileSync(place.file('root/file'), '');
    const root = await RootDirectory.open(place.file('root'));
    const made = new MadeDirectories(root);
    const paths = [['link'], ['link', 'in'], ['file'], ['none', 'in'], ['..', 'in'], ['fine']];
    const settled = await Promise.allSettled(paths.map((path) => made.make(path)));
    const codes = settled.map((one) => (one.status === 'fulfilled' ? '' : one.reason.code));
    assert.deepEqual(codes, ['ELOOP', 'ELOOP', 'ENOTDIR', 'ENOENT', 'EXDEV', '']);
    const errors = await made.finish(paths.map((path) => directory(path)));
    assert.deepEqual(
      errors.map((error) => error?.code ?? ''),
      ['ELOOP', 'ELOOP', 'ENOTDIR', 'ENOENT', 'EXDEV', ''],
    );
    assert.deepEqual(readdirSync(place.path).toSorted(), ['outside', 'root']);
    assert.deepEqual(readdirSync(place.file('outside')), []);
    await root.close();
  },
);

const moduleHref = (name: string) => JSON.stringify(new URL(name, import.meta.url).href);

/** The calls that make directories and sync, of a process that makes these in one turn. */
function tracedMaking(root: string, paths: readonly string[][]): string[] {
  const program = `
    const { MadeDirectories } = await import(${moduleHref('./made-directories.js')});
    const { RootDirectory } = await import(${moduleHref('./root-directory.js')});
    const made = new MadeDirectories(await RootDirectory.open(process.argv[1]));
    await Promise.all(${JSON.stringify(paths)}.map((path) => made.make(path)));`;
  const flags = ['-f', '-y', '-qq', '-e', 'trace=mkdirat,fsync,syncfs', '-e', 'signal=none'];
  const node = [process.execPath, '--input-type=module', '-e', program, root];
  const { stderr } = spawnSync('strace', [...flags, ...node], { encoding: 'utf8' });
  return [...stderr.matchAll(/(mkdirat|fsync|syncfs)\(\d+<([^>]*)>(?:, "([^"]*)")?/g)].map(
    ([, call, path, name]) => [call, path, name].filter((word) => word !== undefined).join(' '),
  );
}

test(
  'MadeDirectories syncs the parent of what it made before it says so: many share one sync',
  await needs('linux', 'strace'),
  () => {
    using place = new TemporaryDirectory();
    const root = realpathSync(place.path);
    assert.deepEqual(tracedMaking(root, [['a'], ['b'], ['a', 'c']]), [
      `mkdirat ${root} a`,
      `mkdirat ${root} b`,
      `fsync ${root}`,
      `mkdirat ${root}/a c`,
      `fsync ${root}/a`,
    ]);
    const many = Array.from({ length: 100 }, (_, i) => ['a', `${i}`]);
    const calls = tracedMaking(root, many);
    const syncs = calls.slice(100);
    assert.equal(calls.filter((call) => call.startsWith('mkdirat')).length, 100);
    // Where the file system isn't known to sync as a whole the parent is synced.
    assert.ok(
      syncs.join() === `syncfs ${root}` || syncs.join() === `fsync ${root}/a`,
      syncs.join(),
    );
  },
);
