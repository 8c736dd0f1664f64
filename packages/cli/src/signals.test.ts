import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import { addressOf, type Running, serve, start, startListening } from './command.test.util.ts';
import { EXIT } from './exit-code.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
// Far longer than a test's patience: who is still there when it ends did not obey.
const DRAIN = ['--drain', '10m'];

/** A client in mid-conversation: it has said a word, and its answer is there. */
async function conversing(t: TestContext, address: string): Promise<Running> {
  const client = start(t, 'connect', address);
  client.child.stdin.write('hello\n');
  await client.until(({ stdout }) => stdout.includes('hello\n'));
  return client;
}

async function server(t: TestContext, command: 'serve' | 'forward') {
  if (command === 'serve') return await serve(t, ['127.0.0.1:0'], ...DRAIN);
  const target = addressOf(await serve(t, ['127.0.0.1:0']));
  return await startListening(t, ['forward', '127.0.0.1:0', target, ...DRAIN]);
}

for (const command of ['serve', 'forward'] as const) {
  for (const first of SIGNALS) {
    for (const second of SIGNALS) {
      test(`sockeye ${command} drains at ${first} and ends with 0 at once at ${second}`, async (t) => {
        const own = await server(t, command);
        const client = await conversing(t, addressOf(own));
        own.child.kill(first);
        await own.until(({ stderr }) => stderr.includes('draining'));
        // Its conversation goes on meanwhile.
        client.child.stdin.write('again\n');
        await client.until(({ stdout }) => stdout.includes('again\n'));
        own.child.kill(second);
        assert.equal((await own.exit()).status, EXIT.ok);
        client.child.stdin.end();
        await client.exit();
      });
    }
  }
}

for (const flags of [[], ['--keep']]) {
  for (const signal of SIGNALS) {
    const expected =
      flags.length > 0 ? EXIT.ok : EXIT[signal === 'SIGINT' ? 'interrupted' : 'terminated'];
    test(`sockeye listen ${flags.join('')} in mid-conversation ends with ${expected} at ${signal}`, async (t) => {
      const own = await startListening(t, ['listen', '127.0.0.1:0', ...flags]);
      const client = start(t, 'connect', addressOf(own));
      client.child.stdin.write('hello\n');
      await own.until(({ stdout }) => stdout.includes('hello\n'));
      own.child.stdin.write('back\n');
      await client.until(({ stdout }) => stdout.includes('back\n'));
      own.child.kill(signal);
      const { status, stdout } = await own.exit();
      assert.deepEqual([status, stdout], [expected, 'hello\n']);
      client.child.stdin.end();
      assert.equal((await client.exit()).stdout, 'back\n');
    });
  }
}

for (const signal of SIGNALS) {
  test(`sockeye connect in mid-conversation ends at ${signal} as Unix programs do`, async (t) => {
    const own = await serve(t, ['127.0.0.1:0']);
    const client = await conversing(t, addressOf(own));
    client.child.kill(signal);
    const { status, signal: by, stdout } = await client.exit();
    assert.deepEqual(
      [by ?? status, stdout],
      [signal === 'SIGINT' ? EXIT.interrupted : 'SIGTERM', 'hello\n'],
    );
  });

  test(`sockeye connect ends at two of ${signal}, sent one upon the other`, async (t) => {
    const own = await serve(t, ['127.0.0.1:0']);
    const client = await conversing(t, addressOf(own));
    client.child.kill(signal);
    client.child.kill(signal);
    const { status, signal: by } = await client.exit();
    assert.ok(by === signal || status === EXIT.interrupted, `${status} ${by}`);
  });
}
