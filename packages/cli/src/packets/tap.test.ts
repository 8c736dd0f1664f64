import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { connect } from 'node:tls';
import { createConnection, createServer, relay, socketpair } from '@sockeye/net';
import { Recorder, tap } from '@sockeye/net/capture';
import { lines } from '@sockeye/net/codec';
import { framed } from '@sockeye/net/framed';
import { type Connection, serve } from '@sockeye/net/server';
import { certificate, missing, run, temporaryDirectory } from '../command.test.util.ts';

test('tap() of a server’s connection sees its own methods and framed(), and sockeye read shows TCP_INFO', async (t) => {
  const file = join(temporaryDirectory(t), 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const server = await serve({ host: '127.0.0.1', port: 0 }, async (connection) => {
    tap(connection, recorder);
    await connection.sendall(Buffer.from('hello\n'));
    for await (const line of framed(connection, lines())) {
      await connection.sendall(Buffer.from(`you said ${line}\n`));
    }
  });
  const client = await createConnection(server.address);
  const messages = framed(client, lines());
  await messages.send('粘包');
  const got: string[] = [];
  for await (const line of messages) if (got.push(line) === 2) break;
  await messages.close();
  await server.drain();
  await recorder.close();
  assert.deepEqual(got, ['hello', 'you said 粘包']);
  const { stdout, status } = await run(t, ['read', file, '--json', '--follow', '--conversations']);
  assert.equal(status, 0);
  const objects = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  const comments = objects.flatMap(({ comments: of = [] }) => of as string[]);
  const infos = comments.filter((comment) => comment.startsWith('TCP_INFO'));
  assert.deepEqual(
    infos.map((comment) => comment.slice(0, comment.indexOf('{'))),
    ['TCP_INFO at the start: ', 'TCP_INFO at the end: '],
  );
  const said = (who: string): unknown[] =>
    objects.filter(({ type, from }) => type === 'stream' && from === who).map(({ text }) => text);
  assert.equal(said('client').join(''), '粘包\n');
  assert.equal(said('server').join(''), 'hello\nyou said 粘包\n');
});

/** What a recording's client and server said, by `sockeye read --follow`. */
async function saidIn(t: TestContext, file: string): Promise<{ client: string; server: string }> {
  const { stdout } = await run(t, ['read', file, '--json', '--follow']);
  const said = { client: '', server: '' };
  for (const line of stdout.trimEnd().split('\n')) {
    const object = JSON.parse(line) as { type: string; from: 'client' | 'server'; text: string };
    if (object.type === 'stream') said[object.from] += object.text;
  }
  return said;
}

test('framed() of a Socket that is tapped is recorded, both ways', async (t) => {
  const file = join(temporaryDirectory(t), 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const listener = createServer({ host: '127.0.0.1', port: 0 });
  const far = framed(await createConnection(listener.getsockname()), lines());
  const [server] = await listener.accept();
  listener.close();
  tap(server, recorder);
  const near = framed(server, lines());
  await far.send('粘包');
  for await (const line of near) {
    await near.send(`you said ${line}`);
    break;
  }
  for await (const line of far) {
    assert.equal(line, 'you said 粘包');
    break;
  }
  await near.close();
  await far.close();
  await recorder.close();
  assert.deepEqual(await saidIn(t, file), { client: '粘包\n', server: 'you said 粘包\n' });
});

test('tap() of a TLS connection records what was decrypted', {
  skip: missing('openssl'),
}, async (t) => {
  const file = join(temporaryDirectory(t), 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const own = certificate(temporaryDirectory(t));
  const tls = { key: readFileSync(own.key), cert: readFileSync(own.cert) };
  const handler = async (client: Connection): Promise<void> => {
    tap(client, recorder);
    const data = await client.recv(100);
    await client.sendall(Buffer.from(`you said ${data.toString()}`));
  };
  const server = await serve({ host: '127.0.0.1', port: 0 }, handler, { tls });
  const { port } = server.address as { port: number };
  const client = connect({ port, host: '127.0.0.1', rejectUnauthorized: false });
  await once(client, 'secureConnect');
  client.write('secret');
  const [answer] = (await once(client, 'data')) as [Buffer];
  client.end();
  await once(client, 'close');
  await server.drain();
  await recorder.close();
  assert.equal(answer.toString(), 'you said secret');
  assert.deepEqual(await saidIn(t, file), { client: 'secret', server: 'you said secret' });
});

test('read --follow shows the hole of what relay() moved, and what came behind it', async (t) => {
  const file = join(temporaryDirectory(t), 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const listener = createServer({ host: '127.0.0.1', port: 0 });
  const client = await createConnection(listener.getsockname());
  const [server] = await listener.accept();
  listener.close();
  tap(server, recorder);
  const [source, near] = socketpair();
  await server.sendall(Buffer.from('before'));
  await source.sendall(Buffer.from('past us all'));
  source.close();
  await relay(near, server);
  near.close();
  await server.sendall(Buffer.from('behind'));
  server.close();
  client.close();
  await recorder.close();
  const { stdout, status } = await run(t, ['read', file, '--follow']);
  assert.equal(status, 0);
  assert.match(stdout, /before\n\[11 bytes missing\]\nbehind\n/);
});
