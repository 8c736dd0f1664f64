import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { createConnection } from '@sockeye/net';
import { Recorder, tap } from '@sockeye/net/capture';
import { lines } from '@sockeye/net/codec';
import { framed } from '@sockeye/net/framed';
import { serve } from '@sockeye/net/server';
import { run, temporaryDirectory } from '../command.test.util.ts';

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
