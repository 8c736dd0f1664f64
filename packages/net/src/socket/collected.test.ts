import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runNode } from '../testing/index.ts';

const library = JSON.stringify(new URL('./index.js', import.meta.url));
const flags = ['--expose-gc'];

const PRELUDE = `
  import { readlinkSync, readdirSync, closeSync } from 'node:fs';
  import { setImmediate } from 'node:timers/promises';
  import { Socket } from ${library};
  const sockets = () => readdirSync('/proc/self/fd').filter((fd) => {
    try { return readlinkSync('/proc/self/fd/' + fd).startsWith('socket:'); } catch { return false; }
  }).length;
  const before = sockets();
  const warnings = [];
  process.on('warning', (warning) => warnings.push(warning));
  async function collect() {
    for (let i = 0; i < 10; i++) { gc(); await setImmediate(); }
  }
`;

test('a Socket dropped without close() is closed when collected, with a warning that says where it was made', async () => {
  const { stdout, stderr } = await runNode(
    `${PRELUDE}
    function forgetful() { new Socket(); }
    forgetful();
    await collect();
    console.log(JSON.stringify([sockets() - before, warnings.map(({ name, code, message }) => ({ name, code, message }))]));
  `,
    { flags: [...flags, '--no-warnings'] },
  );
  const [open, warnings] = JSON.parse(stdout || stderr) as [
    number,
    { name: string; code: string; message: string }[],
  ];
  assert.equal(open, 0);
  assert.equal(warnings.length, 1);
  assert.equal(warnings[0]?.name, 'ResourceWarning');
  assert.equal(warnings[0]?.code, 'SOCKEYE_UNCLOSED');
  assert.match(
    warnings[0]?.message ?? '',
    /^socket \d+ was dropped without close\(\); it was made at forgetful/,
  );
});

test('a Socket whose maker holds it is collected with its maker', async () => {
  const { stdout } = await runNode(
    `${PRELUDE}
    class Client { constructor() { this.socket = new Socket(); } }
    class Late { open() { this.socket = new Socket(); } }
    (() => { for (let i = 0; i < 10; i++) { new Client(); new Late().open(); } })();
    await collect();
    console.log(sockets() - before, warnings.length);
  `,
    { flags: [...flags, '--no-warnings'] },
  );
  assert.equal(stdout, '0 20\n');
});

test('a Socket with an operation pending is not collected, and is when that is over', async () => {
  const { stdout } = await runNode(
    `${PRELUDE}
    const listener = new Socket();
    listener.bind({ host: '127.0.0.1', port: 0 });
    listener.listen();
    let received;
    await (async () => {
      const client = new Socket();
      await client.connect(listener.getsockname());
      received = client.recv(10);
    })();
    await collect();
    const [server] = await listener.accept();
    await server.sendall(Buffer.from('still here'));
    console.log(String(await received), warnings.length);
    received = undefined;
    await collect();
    console.log(warnings.length);
    server.close();
    listener.close();
    await collect();
    console.log(sockets() - before, warnings.length);
  `,
    { flags: [...flags, '--no-warnings'] },
  );
  assert.equal(stdout, 'still here 0\n1\n0 1\n');
});

test('a Socket that was closed, or whose number was closed elsewhere, brings no exception', async () => {
  const { stdout, code } = await runNode(
    `${PRELUDE}
    (() => { new Socket().close(); })();
    (() => { closeSync(new Socket().fileno()); })();
    await collect();
    console.log(sockets() - before, warnings.length);
  `,
    { flags: [...flags, '--no-warnings'] },
  );
  assert.equal(code, 0);
  assert.equal(stdout, '0 1\n');
});
