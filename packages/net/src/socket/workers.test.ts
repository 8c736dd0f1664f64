import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { countDescriptors, TemporaryDirectory, turns } from '../testing/index.ts';
import { Socket } from './socket.ts';
import { listening, receiveExactly, tcpPair } from './sockets.test.util.ts';

// Not index.js: a hundred workers load it.
const library = JSON.stringify(new URL('./socket.js', import.meta.url));

/** A worker that runs `source` with the library, `parentPort` and `workerData`. */
function work(source: string, workerData: unknown = null): Worker {
  return new Worker(
    `
    const { parentPort, workerData } = require('node:worker_threads');
    import(${library}).then(async (library) => {
      const { Socket } = library;
      ${source}
    });`,
    // Without --enable-source-maps, which doubles the time to load.
    { eval: true, workerData, execArgv: [] },
  );
}

test('a worker serves while the main thread connects', async () => {
  const worker = work(`
    const listener = new Socket();
    listener.bind({ host: '127.0.0.1', port: 0 });
    listener.listen();
    parentPort.postMessage(listener.getsockname());
    const [connection] = await listener.accept();
    for await (const chunk of connection) await connection.sendall(chunk);
    connection.close();
    listener.close();
  `);
  const [address] = (await once(worker, 'message')) as [{ host: string; port: number }];
  using client = new Socket();
  await client.connect(address);
  await client.sendall(Buffer.from('over there'));
  assert.equal((await receiveExactly(client, 10)).toString(), 'over there');
  client.close();
  const [code] = (await once(worker, 'exit')) as [number];
  assert.equal(code, 0);
});

test('a worker with an operation pending stays alive, and ends after it', async () => {
  using pair = await tcpPair();
  const worker = work(
    `const socket = new Socket(undefined, undefined, undefined, { fd: workerData });
     parentPort.postMessage('waiting');
     parentPort.postMessage(String(await socket.recv(10)));
     socket.close();`,
    pair.server.detach(),
  );
  const messages: unknown[] = [];
  worker.on('message', (message) => {
    messages.push(message);
    if (message === 'waiting') pair.client.sendSync(Buffer.from('go'));
  });
  await once(worker, 'exit');
  assert.deepEqual(messages, ['waiting', 'go']);
});

test('detach() in one thread and { fd } in another moves a connection without a loss', async () => {
  using pair = await tcpPair();
  await pair.client.sendall(Buffer.from('early '));
  const fd = pair.server.detach();
  assert.equal(pair.server.fileno(), -1);
  const worker = work(
    `const socket = new Socket(undefined, undefined, undefined, { fd: workerData });
     let text = '';
     while (!text.endsWith('.')) text += await socket.recv(100);
     await socket.sendall(Buffer.from(text.toUpperCase()));
     parentPort.postMessage(socket.detach());`,
    fd,
  );
  // A worker's last message and its exit may come in one callback.
  const exit = once(worker, 'exit');
  const message = once(worker, 'message');
  await pair.client.sendall(Buffer.from('and late.'));
  const [back] = (await message) as [number];
  await exit;
  assert.equal(back, fd);
  // The worker is gone; what it detached is not.
  using again = new Socket(undefined, undefined, undefined, { fd: back });
  await again.sendall(Buffer.from('!'));
  assert.equal((await receiveExactly(pair.client, 16)).toString(), 'EARLY AND LATE.!');
});

test('a worker that ends closes what it left open, the accepted ones too', async () => {
  const before = countDescriptors('socket:', 'anon_inode:[eventpoll]');
  const worker = work(`
    const listener = new Socket();
    listener.bind({ host: '127.0.0.1', port: 0 });
    listener.listen();
    globalThis.kept = [listener];
    for (let i = 0; i < 5; i++) {
      const client = new Socket();
      await client.connect(listener.getsockname());
      kept.push(client, await listener.accept());
    }
  `);
  await once(worker, 'exit');
  assert.equal(countDescriptors('socket:', 'anon_inode:[eventpoll]'), before);
});

test('100 workers terminated with operations pending leak no descriptor', async () => {
  using listener = listening();
  const address = listener.getsockname();
  const source = `
    const own = new Socket();
    own.bind({ host: '127.0.0.1', port: 0 });
    own.listen();
    const ignore = () => {};
    own.accept().catch(ignore);
    const client = new Socket();
    await client.connect(workerData);
    client.recv(10).catch(ignore);
    client.poll(1).catch(ignore);
    client.sendall(Buffer.alloc(1 << 20)).catch(ignore);
    client.sendto(Buffer.alloc(1), { host: 'localhost', port: 9 }).catch(ignore);
    const busy = new Socket();
    await busy.connect(own.getsockname());
    (async () => { for (;;) await busy.sendall(Buffer.from('x')); })().catch(ignore);
    const other = new Socket();
    other.connect({ host: 'localhost', port: workerData.port }).catch(ignore);
    parentPort.postMessage('pending');
  `;
  const before = countDescriptors('socket:', 'anon_inode:[eventpoll]');
  const one = async (i: number): Promise<void> => {
    const worker = work(source, address);
    await once(worker, 'message');
    await turns(i % 3);
    await worker.terminate();
  };
  for (let i = 0; i < 25; i++)
    await Promise.all([one(4 * i), one(4 * i + 1), one(4 * i + 2), one(4 * i + 3)]);
  assert.equal(countDescriptors('socket:', 'anon_inode:[eventpoll]'), before);
});

test('two copies of the library work side by side in one thread', async () => {
  // As npm leaves them when two dependencies need two versions, with one @sockeye/native for both.
  using directory = new TemporaryDirectory();
  const dist = fileURLToPath(new URL('..', import.meta.url));
  for (const folder of ['address', 'codec', 'constants', 'errors', 'socket']) {
    if (existsSync(join(dist, folder)))
      cpSync(join(dist, folder), directory.file(folder), { recursive: true });
  }
  writeFileSync(directory.file('package.json'), '{ "type": "module" }');
  const native = dirname(fileURLToPath(import.meta.resolve('@sockeye/native')));
  mkdirSync(directory.file('node_modules/@sockeye'), { recursive: true });
  symlinkSync(native, directory.file('node_modules/@sockeye/native'));
  const url = pathToFileURL(directory.file('socket/socket.js')).href;
  const copy = (await import(url)) as { Socket: typeof Socket };
  assert.notEqual(copy.Socket, Socket);
  using listener = listening();
  using theirs = new copy.Socket();
  const [[ours]] = await Promise.all([listener.accept(), theirs.connect(listener.getsockname())]);
  using _ = ours;
  // Both wait at once, each in its own poller.
  const receiving = [ours.recv(10), theirs.recv(10)];
  await theirs.sendall(Buffer.from('to ours'));
  await ours.sendall(Buffer.from('to theirs'));
  assert.deepEqual((await Promise.all(receiving)).map(String), ['to ours', 'to theirs']);
});
