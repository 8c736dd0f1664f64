import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConversationTracker, createDissector, linkType } from '../dissect/index.ts';
import { needs, TemporaryDirectory } from '../testing/index.ts';
import { readCapture } from './read-capture.ts';
import { Recorder } from './recorder.ts';
import { tap } from './tap.ts';

const tshark = await needs('tshark');

/** An exchange of a server whose connection is tapped. */
async function recordExchange(path: string): Promise<void> {
  const recorder = await Recorder.create(path);
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const client = connect(port, '127.0.0.1').resume();
  const [socket] = (await once(server, 'connection')) as [Socket];
  const local = { host: '127.0.0.1', port };
  const remote = { host: '127.0.0.1', port: socket.remotePort ?? 0 };
  tap(socket, recorder, { transport: 'tcp', local, remote });
  client.write('粘包');
  const [data] = (await once(socket, 'data')) as [Buffer];
  socket.end(`you said ${data.toString()}`);
  await Promise.all([once(socket, 'close'), once(client, 'close')]);
  server.close();
  await recorder.close();
}

test('tap() records exact bytes, handshake and close, with good checksums and a comment', async () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'tap.pcapng');
  await recordExchange(path);
  const tracker = new ConversationTracker({ streams: true });
  const dissect = createDissector();
  const text = { client: '', server: '' };
  const comments: string[] = [];
  for await (const items of readCapture(path)) {
    for (const item of items) {
      if (item.type === 'section') comments.push(...(item.comments ?? []));
      if (item.type !== 'packet') continue;
      const { layers } = dissect(item.bytes, { linkType: linkType.raw });
      const tcp = layers.find(({ protocol }) => protocol === 'tcp');
      assert.equal(tcp?.value('tcp.checksum.status'), 'good');
      const event = tracker.push(item);
      for (const part of event?.stream ?? []) {
        if (part.type === 'data' && event !== undefined)
          text[event.from] += Buffer.from(part.bytes).toString();
      }
    }
  }
  const [conversation] = tracker.conversations();
  assert.ok(conversation?.type === 'tcp');
  assert.deepEqual(text, { client: '粘包', server: 'you said 粘包' });
  assert.notEqual(conversation.handshake?.ack, undefined);
  assert.equal(conversation.close?.isComplete, true);
  assert.match(comments.join(), /synthesised/);
});

test('Recorder writes files that tshark reads without a complaint', tshark, async () => {
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'tap.pcapng');
  await recordExchange(path);
  const complaints = 'tcp.checksum.status==0 || tcp.analysis.flags || _ws.malformed';
  const { stdout, status } = spawnSync(
    'tshark',
    ['-r', path, '-o', 'tcp.check_checksum:TRUE', '-Y', complaints],
    { encoding: 'utf8' },
  );
  assert.deepEqual([stdout, status], ['', 0]);
});

test(
  'ended() writes a FIN at its time, and the other end goes on until closed()',
  tshark,
  async () => {
    using directory = new TemporaryDirectory();
    const path = join(directory.path, 'half.pcapng');
    const recorder = await Recorder.create(path);
    const conversation = recorder.conversation({
      transport: 'tcp',
      local: { host: '::1', port: 80 },
      remote: { host: '::1', port: 40_000 },
      comment: 'of a test',
    });
    conversation.received(Buffer.from('question'));
    conversation.ended('remote');
    conversation.sent(Buffer.from('late answer'));
    conversation.closed('remote');
    conversation.closed('local');
    await recorder.close();
    const fields = ['-T', 'fields', '-e', 'tcp.flags.str', '-e', 'tcp.analysis.flags'];
    const { stdout } = spawnSync('tshark', ['-r', path, ...fields, '-e', 'frame.comment'], {
      encoding: 'utf8',
    });
    const [flags, complaints, comments] = [0, 1, 2].map((column) =>
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split('\t')[column]?.replaceAll('·', '')),
    );
    assert.deepEqual(flags, ['S', 'AS', 'A', 'AP', 'A', 'AF', 'A', 'AP', 'A', 'AF', 'A']);
    assert.equal(complaints?.join(''), '');
    assert.match(comments?.[0] ?? '', /^of a test,Recorded by Sockeye/);
  },
);
