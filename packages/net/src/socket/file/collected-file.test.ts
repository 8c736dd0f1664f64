import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runNode } from '../../testing/index.ts';

const library = JSON.stringify(new URL('../index.js', import.meta.url));

const PRELUDE = `
  import { setImmediate } from 'node:timers/promises';
  import { socketpair } from ${library};
  const warnings = [];
  process.on('warning', ({ code }) => warnings.push(code));
  async function collect() {
    for (let i = 0; i < 10; i++) { gc(); await setImmediate(); }
  }
  const [left, right] = socketpair();
`;

async function run(source: string): Promise<unknown> {
  const { stdout, stderr } = await runNode(PRELUDE + source, {
    flags: ['--expose-gc', '--no-warnings'],
  });
  assert.equal(stderr, '');
  return JSON.parse(stdout);
}

test('a SocketFile keeps its Socket from being collected, and dropped with it warns', async () => {
  const outcome = await run(`
    let file = (() => right.dup().makefile('rb'))();
    await collect();
    left.sendSync(Buffer.from('kept'));
    const read = (await file.read(4)).toString();
    const early = [...warnings];
    file = undefined;
    await collect();
    console.log(JSON.stringify([read, early, warnings]));
  `);
  assert.deepEqual(outcome, ['kept', [], ['SOCKEYE_UNCLOSED']]);
});

test('a SocketFile dropped unclosed frees the descriptor of a Socket that was closed', async () => {
  const outcome = await run(`
    (() => {
      const copy = left.dup();
      copy.makefile('w');
      copy.close();
    })();
    left.close();
    await collect();
    // The end of the stream comes once no descriptor of the other side is left.
    console.log(JSON.stringify([(await right.recv(1)).length, warnings]));
  `);
  assert.deepEqual(outcome, [0, ['SOCKEYE_UNCLOSED']]);
});
