import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  addressOf,
  certificate,
  missing,
  run,
  type Served,
  startListening,
  temporaryDirectory,
} from '../command.test.util.ts';
import { portOf, program } from './program.test.util.ts';
import { stallingServer } from '../bench/stalling-server.test.util.ts';

const TIMES = ['--duration', '300ms', '--warmup', '100ms'];
const MODES = ['echo', 'send', 'receive'] as const;
const DATAGRAMS = /^(udp|unix-dgram):/;

/** The other side, of ours, and the flags that a client needs. */
async function otherSide(
  t: TestContext,
  address: string,
): Promise<{ server: Served; flags: string[] }> {
  if (!address.startsWith('tls')) {
    return { server: await startListening(t, ['bench', '--serve', address]), flags: [] };
  }
  const { cert, key } = certificate(temporaryDirectory(t));
  const args = ['bench', '--serve', address, '--cert', cert, '--key', key];
  return { server: await startListening(t, args), flags: ['--ca', cert] };
}

/** Messages a second, as the command measures them. */
async function rate(t: TestContext, args: readonly string[]): Promise<number> {
  const { status, stdout, stderr } = await run(t, [...args, '--json']);
  assert.deepEqual([status, stderr], [0, '']);
  return (JSON.parse(stdout) as { messagesPerSecond: number }).messagesPerSecond;
}

/** Runs the emitted program until its rate is near the command's own: a busy machine halts either. */
async function likeTheCommand(
  t: TestContext,
  args: readonly string[],
): Promise<{ stdout: string; messages: number }> {
  const ratios: number[] = [];
  while (ratios.length < 5) {
    const { status, stdout, stderr } = await (await program(t, args)).exit();
    assert.deepEqual([status, stderr], [0, '']);
    const [, messages = 0, perSecond] = /^(\d+) messages, (\d+)\/s$/m.exec(stdout) ?? [];
    const [, megabytes] = /^([\d.]+) MB\/s$/m.exec(stdout) ?? [];
    // 0.3 s at least, 200 bytes each.
    assert.ok(Number(messages) / Number(perSecond) > 0.29, stdout);
    assert.ok(Math.abs(Number(megabytes) * 1e6 - Number(perSecond) * 200) < 1000, stdout);
    const ratio = Number(perSecond) / (await rate(t, args));
    t.diagnostic(`${ratio.toFixed(2)} of the command's rate`);
    if (ratio > 1 / 8 && ratio < 8) return { stdout, messages: Number(messages) };
    ratios.push(ratio);
  }
  throw new Error(`shares of the command's rate: ${ratios.join(', ')}`);
}

for (const address of [
  'tcp://127.0.0.1:0',
  'tls://127.0.0.1:0',
  'udp://127.0.0.1:0',
  'unix:@sockeye-emit-bench',
  'unix-dgram:@sockeye-emit-bench',
  'unix-seqpacket:@sockeye-emit-bench',
]) {
  for (const mode of MODES) {
    test(`sockeye bench ${address} --mode ${mode} --emit prints a program that measures the same`, {
      skip: address.startsWith('tls') && missing('openssl'),
    }, async (t) => {
      const { server, flags } = await otherSide(
        t,
        address.replace('bench', `bench-${process.pid}-${mode}`),
      );
      const args = ['bench', addressOf(server), '--mode', mode, ...flags, ...TIMES];
      args.push(
        '--size',
        '200',
        '--connections',
        '2',
        ...(mode === 'receive' ? [] : ['--depth', '3']),
      );
      const { stdout, messages } = await likeTheCommand(t, args);
      if (mode === 'echo') assert.match(stdout, /^p50 \d+\.\d µs\np90 .*\np99 .*\np99\.9 \d/m);
      if (DATAGRAMS.test(address)) checkDatagrams(mode, stdout);
      else if (mode === 'send') {
        const [, arrived] = /^arrived (\d+) B, the server says$/m.exec(stdout) ?? [];
        // At the end three messages were under way on each of two connections.
        const more = Number(arrived) - messages * 200;
        assert.ok(more >= 0 && more <= 6 * 200, stdout);
      }
    });
  }
}

function checkDatagrams(mode: (typeof MODES)[number], stdout: string): void {
  const [, messages] = /^(\d+) messages/m.exec(stdout) ?? [];
  if (mode === 'send') {
    const [, arrived, sent] = /^arrived (\d+) of (\d+) datagrams$/m.exec(stdout) ?? [];
    assert.ok(Number(arrived) > 0 && Number(arrived) <= Number(sent), stdout);
    assert.ok(Number(sent) >= Number(messages), stdout);
    return;
  }
  const [, lost, all] = /^lost (\d+) of (\d+) datagrams$/m.exec(stdout) ?? [];
  assert.equal(Number(all) - Number(lost), Number(messages));
}

for (const scheme of ['tcp', 'tls', 'unix', 'unix-seqpacket', 'udp', 'unix-dgram']) {
  test(`sockeye bench --serve ${scheme}:// --emit prints the other side of all modes`, {
    skip: scheme === 'tls' && missing('openssl'),
  }, async (t) => {
    const directory = temporaryDirectory(t);
    const { cert, key } = certificate(directory);
    const isUnix = scheme.startsWith('unix');
    const address = isUnix ? `${scheme}://${join(directory, 's')}` : `${scheme}://127.0.0.1:0`;
    const isTls = scheme === 'tls';
    const own = isTls ? ['--cert', cert, '--key', key] : [];
    const server = await program(t, ['bench', '--serve', address, ...own]);
    if (isUnix) await server.until(({ stderr }) => stderr.startsWith('listening on'));
    const to = isUnix ? address : address.replace(/0$/, String(await portOf(server)));
    for (const mode of MODES) {
      const args = ['bench', to, '--mode', mode, ...(isTls ? ['--ca', cert] : []), ...TIMES];
      assert.ok((await rate(t, args)) > 0);
    }
    const { stdout } = await run(t, [
      'bench',
      to,
      '--mode',
      'send',
      ...(isTls ? ['--ca', cert] : []),
      ...TIMES,
    ]);
    assert.match(
      stdout,
      DATAGRAMS.test(address)
        ? /^ {2}lost {7}[\d,]+ of [\d,]+/m
        : /^ {2}arrived {4}[\d,]+ B, the server says$/m,
    );
    server.child.kill('SIGTERM');
    assert.equal((await server.exit()).status, 0);
  });
}

for (const scheme of ['tcp://127.0.0.1:0', 'udp://127.0.0.1:0', 'unix-dgram:@sockeye-emit-rate']) {
  for (const mode of ['echo', 'send'] as const) {
    test(`sockeye bench ${scheme} --mode ${mode} --rate --emit prints a program that keeps to it`, async (t) => {
      const address = scheme.replace('rate', `rate-${process.pid}-${mode}`);
      const server = await startListening(t, ['bench', '--serve', address]);
      const args = [
        'bench',
        addressOf(server),
        '--mode',
        mode,
        '--rate',
        '500',
        '--connections',
        '2',
      ];
      const rates: number[] = [];
      // A busy machine halts it for more than the time measured.
      while (rates.length < 5) {
        const running = await program(t, [...args, '--duration', '1s', '--warmup', '100ms']);
        const { status, stdout, stderr } = await running.exit();
        assert.deepEqual([status, stderr], [0, '']);
        if (mode === 'echo') assert.match(stdout, /^\d+ were due and have no answer\np50 /m);
        const [, perSecond] = /^\d+ messages, (\d+)\/s$/m.exec(stdout) ?? [];
        rates.push(Number(perSecond));
        if (Math.abs(Number(perSecond) - 500) < 50) return;
      }
      assert.fail(`500 messages a second were wanted: ${rates.join(', ')}`);
    });
  }
}

test('sockeye bench --rate --emit prints a program that charges a stall to every message it delays', async (t) => {
  // In the middle of the measurement.
  const address = await stallingServer(t);
  const args = ['--rate', '1000', '--duration', '1s', '--warmup', '50ms'];
  const { stdout } = await (await program(t, ['bench', address, ...args])).exit();
  const [, p90] = /^p90 ([\d.]+) µs$/m.exec(stdout) ?? [];
  assert.ok(Number(p90) > 50_000, stdout);
});

test('sockeye bench --emit prints a program that says when nothing comes, and when nobody is there', async (t) => {
  const silent = await startListening(t, ['serve', '127.0.0.1:0', '--discard']);
  const args = ['bench', addressOf(silent), ...TIMES];
  const { status, stdout } = await (await program(t, args)).exit();
  assert.deepEqual([status, stdout.startsWith('0 messages')], [1, true]);
  const nobody = await (await program(t, ['bench', '127.0.0.1:1', ...TIMES])).exit();
  assert.deepEqual([nobody.status, /ECONNREFUSED/.test(nobody.stderr)], [1, true]);
});

for (const [args, message] of [[['127.0.0.1:1', '--size', '0'], /from 1 to 16777216/]] as const) {
  test(`sockeye bench ${args.join(' ')} --emit says in one line what can be printed`, async (t) => {
    const { status, stdout, stderr } = await run(t, ['bench', ...args, '--emit']);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}
