import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  chmodSync,
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect } from 'node:tls';
import { needs, rejection, runNode, until } from '../testing/index.ts';
import { receiveFiles } from './receive-files.ts';
import { sendFiles } from './send-files.ts';
import type { TransferError } from './transfer-error.ts';
import { generateSecret } from './wire/pairing-secret.ts';
import { contents, LOOPBACK, MIB, Proxy, transfer, TwoDirectories } from './transfers.test.util.ts';

/** Runs `change` once, when so many bytes have gone through. */
function midway(bytes: number, change: () => void) {
  let isDone = false;
  return (chunk: Buffer, offset: number): Buffer => {
    if (offset > bytes && !isDone) {
      isDone = true;
      change();
    }
    return chunk;
  };
}

test('sendFiles() finds out that a source was written to while it was sent', async () => {
  using place = new TwoDirectories();
  const path = place.write('changing', 24 * MIB);
  const other = place.write('steady', 'hello');
  using proxy = new Proxy(midway(4 * MIB, () => appendFileSync(path, 'more')));
  const { receipt } = await transfer([path, other], place.inbox, {
    through: (port) => proxy.listen(port),
  });
  const [failed] = receipt.entries.filter(({ state }) => state === 'failed');
  assert.deepEqual(failed?.path, ['changing']);
  assert.equal(failed?.reason, 'source-changed');
  assert.deepEqual(readdirSync(place.inbox), ['steady']);
});

test('sendFiles() gives up a source that became shorter and sends the others', async () => {
  using place = new TwoDirectories();
  const path = place.write('shrinking', 24 * MIB);
  const other = place.write('steady', 16 * MIB);
  using proxy = new Proxy(midway(4 * MIB, () => truncateSync(path, 5 * MIB)));
  const { receipt } = await transfer([path, other], place.inbox, {
    through: (port) => proxy.listen(port),
  });
  const [failed] = receipt.entries.filter(({ state }) => state === 'failed');
  assert.deepEqual(failed?.path, ['shrinking']);
  assert.equal(failed?.reason, 'source-changed');
  assert.deepEqual(readdirSync(place.inbox), ['steady']);
});

test('sendFiles() finds out that a source was replaced by another with its size and time', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 24 * MIB);
  utimesSync(path, 1, 1);
  const twin = place.write('twin', 24 * MIB);
  utimesSync(twin, 1, 1);
  // The tree is looked at before the receiver answers.
  const receive = {
    decide: () => {
      renameSync(twin, path);
      return Promise.resolve(true);
    },
  };
  const { receipt } = await transfer([path], place.inbox, { receive });
  assert.equal(receipt.entries[0]?.reason, 'source-changed');
  assert.deepEqual(readdirSync(place.inbox), []);
});

/** Other content where it was sent already, and the time of change that it had. */
function changeSecretly(path: string): void {
  const { mtimeMs } = statSync(path);
  const file = openSync(path, 'r+');
  writeSync(file, 'changed', 0);
  closeSync(file);
  execFileSync('touch', ['-d', new Date(mtimeMs).toISOString(), path]);
  assert.equal(statSync(path).mtimeMs, mtimeMs);
}

test('sendFiles() finds out that a source was changed and its time put back', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 24 * MIB);
  utimesSync(path, 1_000_000_000, 1_000_000_000);
  using proxy = new Proxy(midway(4 * MIB, () => changeSecretly(path)));
  const { receipt } = await transfer([path], place.inbox, {
    through: (port) => proxy.listen(port),
  });
  const [failed] = receipt.entries;
  assert.equal(failed?.reason, 'source-changed');
  assert.equal(failed?.text, 'it was written to, and its time put back');
  assert.deepEqual(readdirSync(place.inbox), []);
});

for (const [what, change] of [
  ['renamed', (path: string) => renameSync(path, `${path}.1`)],
  ['removed', (path: string) => rmSync(path)],
  ['given another mode', (path: string) => chmodSync(path, 0o640)],
] as const) {
  test(`sendFiles() sends a source that is ${what} meanwhile: its content is what it was`, async () => {
    using place = new TwoDirectories();
    const path = place.write('file', 24 * MIB);
    const content = readFileSync(path);
    using proxy = new Proxy(midway(4 * MIB, () => change(path)));
    const { receipt } = await transfer([path], place.inbox, {
      through: (port) => proxy.listen(port),
    });
    assert.equal(receipt.complete, true);
    assert.deepEqual(contents(place.inbox), new Map([['file', content]]));
  });
}

test('sendFiles() tells of a source that vanished and sends the others', async () => {
  using place = new TwoDirectories();
  place.write('tree/a', 'a');
  place.write('tree/b', 'b');
  const receive = {
    decide: () => {
      rmSync(join(place.source, 'tree/a'));
      return Promise.resolve(true);
    },
  };
  const { receipt } = await transfer([join(place.source, 'tree')], place.inbox, { receive });
  const failed = receipt.entries.find(({ state }) => state === 'failed');
  assert.deepEqual(failed?.path, ['tree', 'a']);
  assert.equal(failed?.reason, 'source-failed');
  assert.match(failed?.text ?? '', /ENOENT/);
  assert.deepEqual([...contents(place.inbox).keys()], ['tree/b']);
});

test('receiveFiles() never gives a name to a file of which bytes were flipped on the wire', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 5 * MIB);
  const whole = readFileSync(path);
  let repaired = 0;
  for (let round = 0; round < 40; round++) {
    rmSync(place.inbox, { recursive: true });
    mkdirSync(place.inbox);
    // From the first bytes of the greeting to the last of the content.
    const at = round < 12 ? round * 23 : (round - 11) * 173_003;
    using proxy = new Proxy((chunk, offset) => {
      if (at < offset || at >= offset + chunk.length) return chunk;
      const changed = Buffer.from(chunk);
      changed[at - offset] = ~(changed[at - offset] as number);
      return changed;
    });
    const receive = { frameTimeoutMs: 200 };
    const run = transfer([path], place.inbox, {
      receive,
      send: { frameTimeoutMs: 200, idleTimeoutMs: 400 },
      through: (port) => proxy.listen(port),
    });
    const outcome = await run.then(
      ({ receipt }) => receipt,
      (error: Error) => error,
    );
    const arrived = contents(place.inbox);
    for (const [name, content] of arrived) {
      if (!name.endsWith('.part')) assert.deepEqual(content, whole, `${name} in round ${round}`);
    }
    if (!(outcome instanceof Error) && outcome.complete) {
      repaired++;
      assert.deepEqual(arrived.get('file'), whole);
      assert.ok([0, 512 * 1024].includes(outcome.transferredBytes - 5 * MIB));
    }
  }
  // Most flips hit a block's content: it came again, alone.
  assert.ok(repaired >= 20, `${repaired} of 40 were repaired`);
});

test(
  'receiveFiles() says that it may not write, and leaves nothing',
  await needs('linux'),
  async (t) => {
    using place = new TwoDirectories();
    const path = place.write('file', 'hello');
    if (process.getuid?.() === 0) {
      // Permissions don't stop root, an immutable directory does.
      try {
        execFileSync('chattr', ['+i', place.inbox], { stdio: 'ignore' });
      } catch {
        t.skip('root, and the file system has no immutable directories');
        return;
      }
    } else chmodSync(place.inbox, 0o500);
    try {
      const { receipt } = await transfer([path], place.inbox);
      assert.equal(receipt.complete, false);
      assert.equal(receipt.entries[0]?.reason, 'target-failed');
      assert.match(receipt.entries[0]?.text ?? '', /EPERM|EACCES/);
    } finally {
      if (process.getuid?.() === 0) execFileSync('chattr', ['-i', place.inbox]);
      else chmodSync(place.inbox, 0o700);
    }
    assert.deepEqual(readdirSync(place.inbox), []);
  },
);

test(
  'receiveFiles() on a full disk refuses what has no room, and goes on later',
  await needs('root', 'linux'),
  async (t) => {
    using place = new TwoDirectories();
    const path = place.write('large', 6 * MIB);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=5m', 'none', place.inbox], {
        stdio: 'ignore',
      });
    } catch {
      t.skip('may not mount');
      return;
    }
    try {
      const refused = await transfer([path], place.inbox);
      assert.equal(refused.receipt.entries[0]?.reason, 'target-failed');
      assert.match(refused.receipt.entries[0]?.text ?? '', /^no room for 6,291,456 bytes, /);
      assert.deepEqual(readdirSync(place.inbox), []);
      // What is appended to is copied first, for which there is no room either.
      const whole = readFileSync(path);
      writeFileSync(join(place.inbox, 'large'), whole.subarray(0, 3 * MIB));
      const longer = await transfer([path], place.inbox, { receive: { existing: 'append' } });
      assert.equal(longer.receipt.entries[0]?.reason, 'target-failed');
      assert.deepEqual(readdirSync(place.inbox), ['large']);
      rmSync(join(place.inbox, 'large'));
      // The disk fills up during the transfer, which no reservation can know.
      using proxy = new Proxy(
        midway(MIB, () => {
          // Until it is full, which isn't dd's success.
          spawnSync('dd', ['if=/dev/zero', `of=${join(place.inbox, 'other')}`, 'bs=4k']);
        }),
      );
      const smaller = place.write('smaller', 3 * MIB);
      const full = await transfer([smaller], place.inbox, {
        through: (port) => proxy.listen(port),
      }).catch((error: Error) => error);
      if (full instanceof Error) assert.match(full.message, /ENOSPC/);
      else assert.match(full.receipt.entries[0]?.text ?? '', /ENOSPC/);
      rmSync(join(place.inbox, 'other'), { force: true });
      const later = await transfer([smaller], place.inbox);
      assert.equal(later.receipt.complete, true);
      assert.deepEqual(readFileSync(join(place.inbox, 'smaller')), readFileSync(smaller));
    } finally {
      execFileSync('umount', ['-l', place.inbox]);
    }
  },
);

test(
  'receiveFiles() syncs a file that is there already, if it is new, before it acknowledges it',
  await needs('linux', 'strace'),
  async () => {
    using place = new TwoDirectories();
    const path = place.write('file', 'hello');
    writeFileSync(join(place.inbox, 'file'), 'hello');
    const program = `
      const { receiveFiles } = await import(${JSON.stringify(new URL('./receive-files.js', import.meta.url).href)});
      const { sendFiles } = await import(${JSON.stringify(new URL('./send-files.js', import.meta.url).href)});
      const options = { insecure: true };
      const receiver = await receiveFiles(${JSON.stringify(place.inbox)}, ${JSON.stringify(LOOPBACK)}, options);
      const receipt = await sendFiles([${JSON.stringify(path)}], receiver.address, options);
      console.log(receipt.entries[0].state);
      await receiver.close();`;
    const under = ['strace', '-f', '-y', '-qq', '-e', 'trace=fsync', '-e', 'signal=none'];
    const { stdout, stderr } = await runNode(program, { under, timeoutMs: 30_000 });
    assert.equal(stdout, 'identical\n', stderr);
    const synced = [...stderr.matchAll(/fsync\(\d+<([^>]*)>/g)].map(([, name]) => name);
    // Before that the directory, for a small file that could have been new.
    assert.deepEqual(synced.slice(-2), [join(place.inbox, 'file'), place.inbox]);
  },
);

test('receiveFiles() touches nothing outside when its directories are swapped for links', async () => {
  using place = new TwoDirectories();
  const names = Array.from({ length: 1_000 }, (_, i) => `tree/${i % 3}/file ${i}`);
  for (const name of names) place.write(name, 2_000);
  const outside = join(place.source, 'outside');
  mkdirSync(outside);
  const inside = join(place.inbox, 'tree/1');
  let isLink = false;
  let swaps = 0;
  // As often as the loop lets it: a directory one moment, a link to the outside the next.
  const swap = (): void => {
    try {
      if (isLink) {
        rmSync(inside);
        renameSync(`${inside}.real`, inside);
      } else {
        renameSync(inside, `${inside}.real`);
        symlinkSync(outside, inside);
      }
      isLink = !isLink;
      swaps++;
    } catch {
      // Not there yet.
    }
  };
  const running = new AbortController();
  const swapping = (async () => {
    while (!running.signal.aborted) {
      swap();
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  const { receipt } = await transfer([join(place.source, 'tree')], place.inbox);
  running.abort();
  await swapping;
  assert.ok(swaps > 10, `${swaps} swaps`);
  assert.deepEqual(readdirSync(outside), []);
  for (const { path, state } of receipt.entries) {
    if (state === 'failed' || path.length < 3) continue;
    const real: readonly string[] =
      isLink && path[1] === '1' ? ['tree', '1.real', ...path.slice(2)] : path;
    assert.deepEqual(
      readFileSync(join(place.inbox, ...real)),
      readFileSync(join(place.source, ...path)),
    );
  }
});

test('receiveFiles() turns a wrong secret away, tells of it, and takes the right one', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const secret = generateSecret();
  const rejected: string[] = [];
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, {
    secret,
    onEvent: (event) => {
      if (event.type === 'rejected') rejected.push(event.text);
    },
  });
  const to = { host: '127.0.0.1', port: (receiver.address as { port: number }).port };
  const wrong = Array.from({ length: 12 }, () =>
    rejection<TransferError>(sendFiles([path], to, { secret: generateSecret() })),
  );
  const plain = rejection(sendFiles([path], to, { insecure: true }));
  for (const error of await Promise.all(wrong)) assert.equal(error.reason, 'secret');
  assert.ok((await plain) instanceof Error);
  await until(() => rejected.length === 13, 'every stranger is reported');
  assert.equal(rejected.filter((text) => /secrets differ/.test(text)).length, 12);
  assert.doesNotMatch(rejected.join(), new RegExp(secret));
  const began = performance.now();
  await rejection(sendFiles([path], to, { secret: generateSecret() }));
  assert.ok(performance.now() - began >= 500, 'a guess after so many wrong ones has to wait');
  assert.equal((await sendFiles([path], to, { secret })).complete, true);
});

test('receiveFiles() lets the right sender in while a flood of wrong secrets comes from its host', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const secret = generateSecret();
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { secret });
  const to = { host: '127.0.0.1', port: (receiver.address as { port: number }).port };
  const ended = new AbortController();
  // So many at once that each has to make room for others before its second of waiting is over.
  const flood = Array.from({ length: 150 }, async () => {
    while (!ended.signal.aborted) await rejection(wrongSecret(to.port));
  });
  for (let attempt = 0; attempt < 3; attempt++) {
    assert.equal((await sendFiles([path], to, { secret })).complete, true);
  }
  ended.abort();
  await Promise.all(flood);
});

/** Shows a wrong secret, without what a whole sendFiles() takes. */
async function wrongSecret(port: number): Promise<void> {
  const socket = connect({
    host: '127.0.0.1',
    port,
    ciphers: 'TLS_AES_128_GCM_SHA256',
    minVersion: 'TLSv1.3',
    pskCallback: () => ({ psk: Buffer.alloc(32, 7), identity: 'sockeye-transfer-1' }),
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect');
}

test('sendFiles() takes no certificate for the secret', await needs('openssl'), async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 'hello');
  const { createServer } = await import('node:tls');
  const key = join(place.source, 'key.pem');
  const cert = join(place.source, 'cert.pem');
  const days = ['-days', '1', '-subj', '/CN=localhost', '-nodes'];
  execFileSync(
    'openssl',
    ['req', '-x509', '-newkey', 'rsa:2048', '-keyout', key, '-out', cert, ...days],
    { stdio: 'ignore' },
  );
  const server = createServer({ key: readFileSync(key), cert: readFileSync(cert) });
  server.on('tlsClientError', () => undefined).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const { port } = server.address() as { port: number };
  const sending = sendFiles([path], { host: '127.0.0.1', port }, { secret: generateSecret() });
  assert.equal((await rejection(sending)).code, 'ERR_TRANSFER_CONNECTION');
  server.close();
});

test('a second transfer of the same file at the same time is refused as busy', async () => {
  using place = new TwoDirectories();
  const path = place.write('file', 12 * MIB);
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true });
  const to = { host: '127.0.0.1', port: (receiver.address as { port: number }).port };
  const options = { insecure: true, bytesPerSecond: 20 * MIB };
  const both = await Promise.all([sendFiles([path], to, options), sendFiles([path], to, options)]);
  assert.deepEqual(both.map(({ complete }) => complete).toSorted(), [false, true]);
  assert.equal(both.find(({ complete }) => !complete)?.entries[0]?.reason, 'busy');
  assert.deepEqual(readFileSync(join(place.inbox, 'file')), readFileSync(path));
});
