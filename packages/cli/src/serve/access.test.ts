import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addressOf, run, serve, startListening } from '../command.test.util.ts';

const OWN = '127.0.0.2';

for (const [flags, welcome] of [
  [['--allow', OWN], [OWN]],
  [['--allow', '10.0.0.0/8,::1'], []],
  [['--deny', OWN], ['127.0.0.1']],
  [['--allow', '127.0.0.0/8', '--deny', '127.0.0.1'], [OWN]],
] as const) {
  for (const scheme of ['tcp', 'udp']) {
    for (const command of ['serve', 'forward']) {
      test(`sockeye ${command} ${scheme}:// ${flags.join(' ')} takes those clients only`, async (t) => {
        const address = `${scheme}://127.0.0.1:0`;
        const own =
          command === 'serve'
            ? await serve(t, [address], ...flags, '--verbose')
            : await startListening(t, [
                'forward',
                address,
                addressOf(await serve(t, [address])),
                ...flags,
                '--verbose',
              ]);
        for (const host of ['127.0.0.1', OWN]) {
          const isWelcome = (welcome as readonly string[]).includes(host);
          const limit = isWelcome ? [] : ['--timeout', '500ms'];
          const args = ['connect', addressOf(own), '--source', host, ...limit];
          const { stdout } = await run(t, args, 'hello\n');
          assert.equal(stdout, isWelcome ? 'hello\n' : '');
          // Nobody is told of each datagram.
          if (isWelcome || scheme === 'udp') continue;
          await own.until(({ stderr }) =>
            new RegExp(`^refused tcp://${host}:\\d+: (not allowed|denied) `, 'm').test(stderr),
          );
        }
      });
    }
  }
}

test('sockeye serve --allow takes an IPv4 client of [::] by its IPv4 address', async (t) => {
  const server = await serve(t, [':0'], '--allow', '127.0.0.1');
  const port = server.ports[0];
  const { stdout } = await run(t, ['connect', `127.0.0.1:${port}`], 'hello\n');
  assert.equal(stdout, 'hello\n');
});

for (const [args, message] of [
  [['serve', 'unix:@s', '--allow', '10.0.0.0/8'], /--allow .* those of unix:@s have none/],
  [['forward', 'vsock://:1', '127.0.0.1:1', '--deny', '::1'], /--deny .* vsock:\/\/:1 have none/],
  [['serve', '--allow', 'localhost'], /Expected addresses or networks: 127\.0\.0\.1,/],
  [['serve', '--deny', '10.0.0.0/33'], /Expected addresses or networks/],
] as const) {
  test(`sockeye ${args.join(' ')} is refused`, async (t) => {
    const { status, stdout, stderr } = await run(t, args);
    assert.deepEqual([status, stdout], [2, '']);
    assert.match(stderr, message);
  });
}
