import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { test } from 'node:test';
import { inspect } from 'node:util';
import { native } from '@sockeye/native';
import { EEXIST, EFBIG } from '../../constants/index.ts';
import {
  countDescriptors,
  needs,
  rejection,
  runNode,
  TemporaryDirectory,
} from '../../testing/index.ts';
import { FILE } from './file-constants.ts';
import { FileError } from './file-error.ts';
import { PlanWriter } from './plan-writer.ts';
import { parseListing } from './directory-listing.ts';
import { listSome, RootDirectory } from './root-directory.ts';

const CALLS = [
  'openat2',
  'closeFile',
  'mkdirat',
  'renameat2',
  'unlinkat',
  'seekFile',
  'futimens',
  'finishFile',
  'flock',
  'fstatvfs',
  'listDirectory',
  'listDirectories',
  'makeDirectories',
  'finishDirectories',
  'readFiles',
  'putFiles',
] as const;

test('a call on files with a wrong argument throws TypeError or RangeError and does nothing', () => {
  const wrong: unknown[] = [
    undefined,
    null,
    Number.NaN,
    1.5,
    {},
    [],
    Symbol('s'),
    'a\0b',
    1n,
    2 ** 60,
  ];
  for (const name of CALLS) {
    const call = native[name] as (...args: unknown[]) => unknown;
    assert.throws(() => call(), TypeError, name);
    for (const value of wrong) {
      const args = Array.from({ length: 5 }, () => value);
      assert.throws(() => call(...args), /native call/, `${name} ${inspect(value)}`);
    }
  }
});

test('a call on files resolves to -errno where the system says no', async () => {
  for (const name of CALLS) {
    const call = native[name] as (...args: unknown[]) => Promise<unknown>;
    const texts = {
      openat2: [1],
      mkdirat: [1],
      unlinkat: [1],
      renameat2: [1, 3],
      readFiles: [1],
      putFiles: [1],
    };
    const at: number[] = texts[name as keyof typeof texts] ?? [];
    // 2 ** 30 is no descriptor.
    const plan = name === 'readFiles' || name === 'putFiles' ? Buffer.alloc(0) : 2 ** 30;
    // A length and nothing behind it is no plan.
    const broken = name.endsWith('Directories') ? Buffer.of(1) : 0;
    const args = [2 ** 30, broken, plan, 0, 2 ** 30].map((arg, i) =>
      at.includes(i) ? 'name' : arg,
    );
    const result = await call(...args);
    assert.ok(typeof result === 'number' && result < 0, `${name}: ${String(result)}`);
  }
});

test(
  'RootDirectory reaches nothing above it and follows no link',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    mkdirSync(place.file('root/below'), { recursive: true });
    writeFileSync(place.file('outside'), 'outside');
    const root = await RootDirectory.open(place.file('root'));
    for (const path of [['..', 'outside'], ['below', '..', '..', 'outside'], ['/etc/passwd']]) {
      const error = await rejection(root.openFile(path, FILE.O_RDONLY));
      assert.ok(error instanceof FileError, path.join('/'));
      assert.equal(error.code, 'EXDEV');
    }
    const magic = await rejection(root.openFile(['proc', 'self'], FILE.O_RDONLY));
    assert.equal(magic.code, 'ENOENT');
    await root.close();
  },
);

test(
  'listSome() lists names, and parseListing() gives undefined for one that is not UTF-8',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    writeFileSync(place.file('名字'), '');
    writeFileSync(Buffer.concat([Buffer.from(`${place.path}/`), Buffer.of(0xff, 0xfe)]), '');
    const root = await RootDirectory.open(place.path);
    const directory = await root.openDirectory([]);
    const names = parseListing(await listSome(directory)).map(({ name }) => name);
    assert.deepEqual(names, ['名字', undefined]);
    assert.equal((await listSome(directory)).length, 0);
    await directory.close();
    await root.close();
  },
);

test(
  'OpenFile closes once what runs on it is done, and leaves no descriptor',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    writeFileSync(place.file('file'), Buffer.alloc(100_000, 'x'));
    const before = countDescriptors(place.path);
    const root = await RootDirectory.open(place.path);
    const file = await root.openFile(['file'], FILE.O_RDONLY);
    const buffer = Buffer.alloc(100_000);
    const reading = file.read(buffer, 0);
    await Promise.all([file.close(), file.close(), root.close()]);
    assert.equal(await reading, 100_000);
    assert.equal((await rejection(file.read(buffer, 0))).code, 'EBADF');
    assert.equal(countDescriptors(place.path), before);
  },
);

test('a worker that ends with calls on files under way takes nothing with it', async () => {
  using place = new TemporaryDirectory();
  for (let i = 0; i < 50; i++) writeFileSync(place.file(`file ${i}`), 'x');
  const module = new URL('./root-directory.js', import.meta.url).href;
  const source = `
    import { Worker } from 'node:worker_threads';
    import { once } from 'node:events';
    const code = ${JSON.stringify(`
      import { workerData, parentPort } from 'node:worker_threads';
      const { RootDirectory } = await import(${JSON.stringify(module)});
      const root = await RootDirectory.open(workerData);
      const open = (i) => root.openFile(['file ' + i], 0).then((file) => (i % 2 ? file.sync() : file.close()));
      parentPort.postMessage('go');
      for (;;) await Promise.all(Array.from({ length: 50 }, (_, i) => open(i)));
    `)};
    const url = new URL('data:text/javascript,' + encodeURIComponent(code));
    for (let i = 0; i < 12; i++) {
      const worker = new Worker(url, { workerData: ${JSON.stringify(place.path)} });
      await once(worker, 'message');
      await worker.terminate();
    }
    const { readdirSync, readlinkSync } = await import('node:fs');
    const open = readdirSync('/proc/self/fd').filter((fd) => {
      try { return readlinkSync('/proc/self/fd/' + fd).startsWith(${JSON.stringify(place.path)}); }
      catch { return false; }
    });
    console.log('survived', open.length);
  `;
  const { code, signal, stdout, stderr } = await runNode(source, { timeoutMs: 30_000 });
  assert.equal(code, 0, `${String(signal)} ${stderr}`);
  // What a call opened when the worker was gone was closed by it; nothing piles up.
  assert.match(stdout, /^survived [0-9]\n$/);
  assert.equal(readdirSync(place.path).length, 50);
});

test(
  'putFiles() removes what it could not write, once: the name may be another transfer’s then',
  await needs('linux', 'strace'),
  async () => {
    using place = new TemporaryDirectory();
    const program = `
      const { PlanWriter } = await import(${JSON.stringify(new URL('./plan-writer.js', import.meta.url).href)});
      const { RootDirectory } = await import(${JSON.stringify(new URL('./root-directory.js', import.meta.url).href)});
      const plan = new PlanWriter();
      for (const i of [1, 2]) {
        plan.number(9000, 4).number(0o600, 4).number(1, 8).number(0, 4);
        plan.name('temporary' + i).name('final' + i).bytes(Buffer.alloc(9000));
      }
      const root = await RootDirectory.open(process.argv[1]);
      console.log([...(await root.putFiles([], plan.plan()))].join());`;
    // No file may have more than 4,096 bytes.
    const limited = ['prlimit', '--fsize=4096', process.execPath, '--input-type=module', '-e'];
    const flags = ['-f', '-qq', '-e', 'trace=unlinkat', '-e', 'signal=none'];
    const args = [...flags, ...limited, program, place.path];
    const { stdout, stderr } = spawnSync('strace', args, { encoding: 'utf8' });
    assert.equal(stdout, `${-EFBIG},${-EFBIG}\n`, stderr);
    const removed = [...stderr.matchAll(/unlinkat\(\d+, "(\w+)"/g)].map(([, name]) => name);
    assert.deepEqual(removed, ['temporary1', 'temporary2']);
    assert.deepEqual(readdirSync(place.path), []);
  },
);

test(
  'putFiles() writes what is new, leaves what is there, and refuses a plan that is none',
  await needs('linux'),
  async () => {
    using place = new TemporaryDirectory();
    writeFileSync(place.file('there'), 'before');
    symlinkSync('/etc/passwd', place.file('link'));
    const root = await RootDirectory.open(place.path);
    const record = (name: string, content: string) =>
      new PlanWriter()
        .number(content.length, 4)
        .number(0o640, 4)
        .number(1_000_000_000, 8)
        .number(5, 4)
        .name(`.part-${name}`)
        .name(name)
        .bytes(Buffer.from(content))
        .plan();
    const names = ['a', 'there', 'link', 'b', 'c', 'd'];
    const plan = Buffer.concat(names.map((name) => record(name, `new ${name}`)));
    assert.deepEqual([...(await root.putFiles([], plan))], [0, -EEXIST, -EEXIST, 0, 0, 0]);
    assert.deepEqual(readdirSync(place.path).toSorted(), names.toSorted());
    assert.equal(readFileSync(place.file('there'), 'utf8'), 'before');
    assert.equal(readFileSync(place.file('b'), 'utf8'), 'new b');
    assert.equal(statSync(place.file('b')).mode & 0o777, 0o640);
    for (const bad of [record('../out', 'x'), record('..', 'x'), plan.subarray(0, 30)]) {
      assert.equal((await rejection(root.putFiles([], bad))).code, 'EINVAL');
    }
    assert.equal((await rejection(root.putFiles(['none'], plan))).code, 'ENOENT');
    assert.equal((await rejection(root.putFiles(['..'], plan))).code, 'EXDEV');
    await root.close();
  },
);
