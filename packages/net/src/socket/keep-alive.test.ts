import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runNode } from '../testing/index.ts';

const library = JSON.stringify(new URL('./index.js', import.meta.url));

/** Runs a module with a listener and the two ends of a connection. */
function run(source: string, timeoutMs?: number) {
  return runNode(
    `
    import { Socket } from ${library};
    const listener = new Socket();
    listener.bind({ host: '127.0.0.1', port: 0 });
    listener.listen();
    const client = new Socket();
    await client.connect(listener.getsockname());
    const [server] = await listener.accept();
    // One that nothing reaches is closed when V8 collects it, which may be at any moment.
    globalThis.kept = [listener, client, server];
    process.on('exit', () => console.log('exit'));
    ${source}`,
    timeoutMs === undefined ? {} : { timeoutMs },
  );
}

test('idle sockets, listening ones too, do not keep the process alive', async () => {
  const { code, stdout } = await run(`console.log('idle')`);
  assert.equal(code, 0);
  assert.equal(stdout, 'idle\nexit\n');
});

test('a pending recv() keeps the process alive, and so does a pending accept()', async () => {
  const results = await Promise.all([
    run(`server.recv(1).catch(() => {})`, 700),
    run(`listener.accept().catch(() => {})`, 700),
    run(`server.poll(1).catch(() => {})`, 700),
  ]);
  for (const { signal, stdout } of results) {
    assert.equal(signal, 'SIGKILL');
    assert.equal(stdout, '');
  }
});

test('unref() lets the process end with an operation pending, before it and after it was called', async () => {
  const { code, stdout } = await run(`
    server.unref().recv(1);
    listener.accept();
    listener.unref();
    client.settimeout(1000);
    client.recv(1);
    client.unref();
  `);
  assert.equal(code, 0);
  assert.equal(stdout, 'exit\n');
});

test('ref() takes unref() back', async () => {
  const { signal } = await run(`server.unref().recv(1); server.ref();`, 700);
  assert.equal(signal, 'SIGKILL');
});

test('the process ends when the last pending operation does', async () => {
  const { code, stdout } = await run(`
    server.recv(10).then((data) => console.log(String(data)));
    setTimeout(() => client.sendall(Buffer.from('last')), 5);
  `);
  assert.equal(code, 0);
  assert.equal(stdout, 'last\nexit\n');
});

test('a timeout of a pending operation comes though nothing else keeps the process alive', async () => {
  const { code, stdout } = await run(`
    server.settimeout(0.02);
    server.recv(10).catch((error) => console.log(error.code));
  `);
  assert.equal(code, 0);
  assert.equal(stdout, 'ETIMEDOUT\nexit\n');
});

test('a sendall() that nobody waits for leaves before the process ends', async () => {
  const { code, stdout } = await run(`
    client.sendall(Buffer.alloc(5));
    process.on('exit', () => console.log(server.recvSync(10).length));
  `);
  assert.equal(code, 0);
  assert.equal(stdout, 'exit\n5\n');
});

test('a close() in the exit handler is fine, and so is process.exit() with operations pending', async () => {
  const { code, stderr } = await run(`
    server.recv(1).catch(() => {});
    listener.accept().catch(() => {});
    process.on('exit', () => server.close());
    setImmediate(() => process.exit(3));
  `);
  assert.equal(stderr, '');
  assert.equal(code, 3);
});

test('an exception in a continuation is an uncaught exception; the batch’s other operations settle', async () => {
  const { code, stdout } = await run(`
    process.on('uncaughtException', (error) => console.log(error.message));
    server.recv(1).then(() => process.nextTick(() => { throw new Error('thrown'); }));
    client.recv(1).then((data) => console.log(String(data)));
    server.sendSync(Buffer.from('b'));
    client.sendSync(Buffer.from('a'));
  `);
  assert.equal(code, 0);
  assert.deepEqual(stdout.split('\n').toSorted(), ['', 'b', 'exit', 'thrown']);
});
