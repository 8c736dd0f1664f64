import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  addressOf,
  certificate,
  missing,
  Running,
  run,
  serve,
  temporaryDirectory,
} from '../command.test.util.ts';

/** The line of a program's that `--emit` prints. */
async function emittedLine(
  t: TestContext,
  program: 'nc' | 'socat',
  args: readonly string[],
): Promise<string | undefined> {
  const { status, stdout, stderr } = await run(t, [...args, '--emit']);
  assert.deepEqual([status, stderr], [0, '']);
  return new RegExp(`^// (${program} .*)$`, 'm').exec(stdout)?.[1];
}

const CLIENTS: readonly [string, readonly string[], ('nc' | 'socat')[]][] = [
  ['127.0.0.1:0', [], ['nc', 'socat']],
  ['[::1]:0', [], ['nc', 'socat']],
  ['127.0.0.1:0', ['--crlf'], ['nc', 'socat']],
  ['127.0.0.1:0', ['--source', '127.0.0.2'], ['nc', 'socat']],
  ['[::1]:0', ['--source', '::1'], ['nc', 'socat']],
  ['127.0.0.1:0', ['--timeout', '5s'], ['nc', 'socat']],
  ['unix:///DIRECTORY/s', [], ['nc', 'socat']],
  ['unix:@sockeye-lines', [], ['socat']],
  ['unix-seqpacket:///DIRECTORY/s', [], ['socat']],
  ['unix-dgram:///DIRECTORY/s', ['--timeout', '1s'], ['nc']],
  ['udp://127.0.0.1:0', ['--timeout', '1s'], ['nc', 'socat']],
  ['tls://127.0.0.1:0', ['--ca', 'CERT'], ['socat']],
  ['tls://127.0.0.1:0', ['--insecure'], ['socat']],
];

for (const [address, flags, programs] of CLIENTS) {
  for (const program of programs) {
    test(`the ${program} line of sockeye connect ${[address, ...flags].join(' ')} --emit gets the same answer`, {
      skip: missing(program) || missing('openssl'),
    }, async (t) => {
      const directory = temporaryDirectory(t);
      const { cert, key } = certificate(directory);
      const where = address
        .replace('/DIRECTORY', directory)
        .replace('lines', `lines-${process.pid}-${program}`);
      const own = address.startsWith('tls') ? ['--cert', cert, '--key', key] : [];
      const server = await serve(t, [where], '--reply', 're: ', ...own);
      const args = flags.map((flag) => flag.replace('CERT', cert));
      const line = await emittedLine(t, program, ['connect', addressOf(server), ...args]);
      assert.ok(line, 'no line');
      const client = new Running(t, 'sh', ['-c', `exec ${line}`]);
      client.child.stdin.write('hello\n');
      // nc sends the end of a line by itself, and socat's crnl takes CR off what comes.
      const end = flags.includes('--crlf') && program === 'nc' ? '\r\n' : '\n';
      const heard = (text: string): string => text.replaceAll('re: ', '');
      await client.until(({ stdout }) => heard(stdout.toString()) === `hello${end}`);
      client.child.stdin.end();
    });
  }
}

for (const program of ['nc', 'socat'] as const) {
  test(`sockeye connect --option --emit prints no ${program} line that leaves the option out`, async (t) => {
    const args = ['connect', '127.0.0.1:1', '--option', 'SO_RCVBUF=65536'];
    assert.equal(await emittedLine(t, program, args), undefined);
  });
}

test('sockeye serve --hello --emit prints no socat line for what its shell would change', async (t) => {
  for (const text of ["it's", 'a  b', '$HOME', '-n', 'a:b', 'a,b']) {
    assert.equal(await emittedLine(t, 'socat', ['serve', ':1', '--hello', text]), undefined);
  }
});

for (const [name, args, input] of [
  ['echo', [], 'hello\n'],
  // It reads nothing: what it was sent would make its end a reset.
  ['hello', ['--hello', 'hello'], ''],
  ['several words', ['--hello', '你好 there'], ''],
] as const) {
  test(`the socat line of sockeye serve with ${name} --emit serves the same`, {
    skip: missing('socat'),
  }, async (t) => {
    const address = `unix://${join(temporaryDirectory(t), 's')}`;
    const line = await emittedLine(t, 'socat', ['serve', address, ...args]);
    assert.ok(line, 'no line');
    const server = new Running(t, 'sh', ['-c', `exec ${line}`]);
    for (;;) {
      const { stdout, stderr } = await run(t, ['connect', address], input);
      if (/ECONNREFUSED|ENOENT/.test(stderr)) continue;
      assert.equal(stdout, `${args[1] ?? 'hello'}\n`);
      break;
    }
    server.child.kill();
  });
}
