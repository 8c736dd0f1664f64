import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer as createNodeServer, type Socket as NodeSocket } from 'node:net';
import { closeSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  AF_INET6,
  AF_UNIX,
  IPPROTO_IPV6,
  IPV6_V6ONLY,
  MSG_PEEK,
  SHUT_WR,
  SO_LINGER,
  SOCK_DGRAM,
  SOL_SOCKET,
} from '../constants/index.ts';
import {
  ConversationTracker,
  createDissector,
  linkType,
  type PacketItem,
} from '../dissect/index.ts';
import {
  createConnection,
  createServer,
  relay,
  Socket,
  socketpair,
  splice,
} from '../socket/index.ts';
import { needs, TemporaryDirectory } from '../testing/index.ts';
import { readCapture } from './read-capture.ts';
import { Recorder } from './recorder.ts';
import { tap } from './tap.ts';

const tshark = await needs('tshark', 'capinfos');

/** A connection of our own over loopback, both ends, and a recorder. */
async function connected() {
  const directory = new TemporaryDirectory();
  const file = join(directory.path, 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const listener = createServer({ host: '127.0.0.1', port: 0 });
  const client = await createConnection(listener.getsockname());
  const [server] = await listener.accept();
  listener.close();
  return {
    file,
    recorder,
    client,
    server,
    [Symbol.dispose]() {
      client.close();
      server.close();
      directory[Symbol.dispose]();
    },
  };
}

/** What a file tells: flags of all segments, bytes each way, comments, conversations. */
async function read(file: string) {
  const tracker = new ConversationTracker({ streams: true });
  const dissect = createDissector();
  const text = { client: '', server: '' };
  const packets: PacketItem[] = [];
  const flags: string[] = [];
  const comments: string[] = [];
  const missing: string[] = [];
  const ends: string[] = [];
  const datagrams: string[] = [];
  for await (const items of readCapture(file)) {
    for (const item of items) {
      if (item.type !== 'packet') continue;
      packets.push(item);
      comments.push(...(item.comments ?? []).filter((comment) => comment.startsWith('TCP_INFO')));
      missing.push(...(item.comments ?? []).filter((comment) => comment.startsWith('Not rec')));
      const { layers } = dissect(item.bytes, { linkType: linkType.raw });
      const udp = layers.find(({ protocol }) => protocol === 'udp');
      const data = layers.find(({ protocol }) => protocol === 'data');
      if (udp !== undefined)
        datagrams.push(
          [
            Number(udp.value('udp.srcport')),
            Number(udp.value('udp.dstport')),
            Buffer.from((data?.fields[0]?.value ?? []) as Uint8Array).toString(),
          ].join(' '),
        );
      const event = tracker.push(item);
      if (event?.segment !== undefined) flags.push(event.segment.flags);
      if (event?.segment?.flags.includes('FIN') === true) ends.push(event.from);
      for (const part of event?.stream ?? []) {
        if (part.type === 'data') text[event?.from ?? 'client'] += Buffer.from(part.bytes);
      }
    }
  }
  const infos = comments.map((comment) => {
    const [, when, json = ''] = /^TCP_INFO at the (start|end): (\{.*\})$/.exec(comment) ?? [];
    return { when, info: JSON.parse(json) as Record<string, number> };
  });
  return {
    flags,
    text,
    infos,
    missing,
    ends,
    datagrams,
    conversations: [...tracker.conversations()],
  };
}

/** Nothing that tshark or capinfos complain of; the comments as tshark reads them. */
function checkWithTshark(file: string): string {
  const complaints = 'tcp.checksum.status==0 || tcp.analysis.flags || _ws.malformed';
  const check = ['-o', 'tcp.check_checksum:TRUE', '-Y', complaints];
  const run = (command: string, ...args: string[]): string => {
    const { stdout, stderr, status } = spawnSync(command, args, { encoding: 'utf8' });
    assert.deepEqual([stderr.replace(/^Running as user.*\n/, ''), status], ['', 0]);
    return stdout;
  };
  assert.equal(run('tshark', '-r', file, ...check), '');
  run('capinfos', file);
  return run('tshark', '-r', file, '-T', 'fields', '-e', 'frame.comment');
}

test('tap(socket) has exact bytes by every method, and TCP_INFO at the start and at the end', async () => {
  using pair = await connected();
  const { recorder, client, server } = pair;
  tap(server, recorder);
  const said: string[] = [];
  const say = async (text: string): Promise<void> => {
    said.push(text);
    await client.sendall(Buffer.from(text));
  };
  const buffer = Buffer.alloc(100);
  await say('recv ');
  await server.recv(100, MSG_PEEK);
  await server.recv(100);
  await say('recvSync ');
  await server.poll(1);
  server.recvSync(100);
  await say('recvInto ');
  await server.recvInto(buffer);
  await say('recvfrom ');
  await server.recvfrom(100);
  await say('recvfromInto ');
  await server.recvfromInto(buffer);
  await say('recvmsg ');
  await server.recvmsg(100);
  await say('recvmsgInto ');
  await server.recvmsgInto([buffer.subarray(0, 3), buffer.subarray(50)]);
  await say('for await ');
  for await (const chunk of server) {
    assert.deepEqual(chunk, Buffer.from('for await '));
    break;
  }
  await server.sendall(Buffer.from('sendall '));
  await server.send(Buffer.from('send '));
  server.sendSync(Buffer.from('sendSync '));
  await server.sendmsg([Buffer.from('send'), Buffer.from('msg ')]);
  using directory = new TemporaryDirectory();
  const path = join(directory.path, 'file');
  writeFileSync(path, 'not this: sendfile ');
  await server.sendfile(path, 10);
  client.shutdown(SHUT_WR);
  assert.equal((await server.recv(100)).length, 0);
  // Sent as the socket closes.
  void server.sendall(Buffer.from('and goodbye'));
  server.close();
  await recorder.close();
  const { text, flags, infos, conversations } = await read(pair.file);
  assert.equal(text.client, said.join(''));
  assert.equal(text.server, 'sendall send sendSync sendmsg sendfile and goodbye');
  assert.deepEqual(flags.slice(-5), ['ACK', 'PSH+ACK', 'ACK', 'FIN+ACK', 'ACK']);
  assert.ok(conversations[0]?.type === 'tcp' && conversations[0].close?.isComplete);
  assert.deepEqual(
    infos.map(({ when }) => when),
    ['start', 'end'],
  );
  assert.equal(infos[0]?.info['bytesReceived'], 0);
  // The kernel counts the FIN.
  assert.equal(infos[1]?.info['bytesReceived'], text.client.length + 1);
  assert.ok((infos[1]?.info['rttUs'] ?? 0) > 0);
});

test(
  'tap(socket) is read by tshark and capinfos without a complaint, its TCP_INFO as comments',
  tshark,
  async () => {
    using pair = await connected();
    tap(pair.server, pair.recorder);
    await pair.client.sendall(Buffer.from('hello'));
    await pair.server.sendall(await pair.server.recv(10));
    pair.server.close();
    await pair.recorder.close();
    const comments = checkWithTshark(pair.file);
    assert.match(comments, /^TCP_INFO at the start: \{"state":1,.*"bytesReceived":0,/m);
    assert.match(comments, /^TCP_INFO at the end: \{"state":1,.*"bytesReceived":5,/m);
  },
);

test('tap(socket) writes a reset of the peer as its RST, with TCP_INFO', async () => {
  using pair = await connected();
  const { recorder, client, server } = pair;
  tap(server, recorder);
  await client.sendall(Buffer.from('hello'));
  await server.recv(10);
  client.options.set('SO_LINGER', { onoff: true, seconds: 0 });
  client.close();
  await assert.rejects(server.recv(10), { code: 'ECONNRESET' });
  server.close();
  await recorder.close();
  const { flags, infos, conversations } = await read(pair.file);
  assert.equal(flags.at(-1), 'RST+ACK');
  assert.equal(
    conversations[0]?.type === 'tcp' && conversations[0].close?.steps.at(-1)?.from,
    'client',
  );
  assert.equal(infos[1]?.info['bytesReceived'], 5);
});

test('tap(socket) writes a RST of ours where bytes were left unread, and where nobody read the peer’s', async () => {
  for (const whose of ['server', 'client'] as const) {
    using pair = await connected();
    const { recorder, client, server } = pair;
    tap(server, recorder);
    if (whose === 'server') await client.sendall(Buffer.from('unread'));
    else {
      client.setsockopt(SOL_SOCKET, SO_LINGER, Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]));
      client.close();
    }
    await server.poll(1);
    server.close();
    await recorder.close();
    const { flags, conversations, infos } = await read(pair.file);
    assert.equal(flags.at(-1), 'RST+ACK');
    const [conversation] = conversations;
    assert.equal(conversation?.type === 'tcp' && conversation.close?.steps.at(-1)?.from, whose);
    assert.equal(infos.length, 2);
  }
});

test('tap() of a Duplex has TCP_INFO: of Socket.stream() and of node:net', async () => {
  for (const kind of ['ours', 'node'] as const) {
    for (const end of ['end', 'destroy', 'error'] as const) {
      using directory = new TemporaryDirectory();
      const file = join(directory.path, 'tap.pcapng');
      const recorder = await Recorder.create(file);
      const listener = createNodeServer();
      listener.listen(0, '127.0.0.1');
      await once(listener, 'listening');
      const { port } = listener.address() as { port: number };
      const accepted = once(listener, 'connection') as Promise<[NodeSocket]>;
      const stream =
        kind === 'ours'
          ? (await createConnection({ host: '127.0.0.1', port })).stream()
          : connect(port, '127.0.0.1');
      const [far] = await accepted;
      const path = {
        transport: 'tcp',
        openedBy: 'local',
        local: { host: '127.0.0.1', port: far.remotePort ?? 0 },
        remote: { host: '127.0.0.1', port },
      } as const;
      tap(stream, recorder, path);
      stream.resume().write('hello');
      await once(far, 'data');
      far.on('error', () => undefined);
      // Not once(), which rejects at 'error', before the end.
      const closed = new Promise((resolve) => stream.on('close', resolve));
      stream.on('error', () => undefined);
      if (end === 'end') {
        stream.end();
        far.end();
      } else if (end === 'destroy') stream.destroy();
      else far.resetAndDestroy();
      await closed;
      listener.close();
      far.destroy();
      await recorder.close();
      const { text, infos, flags } = await read(file);
      assert.equal(text.client, 'hello');
      assert.equal(flags.at(-1), end === 'error' ? 'RST+ACK' : 'ACK', `${kind} ${end}`);
      assert.deepEqual(
        infos.map(({ when }) => when),
        ['start', 'end'],
        `${kind} ${end}`,
      );
      assert.equal(infos[1]?.info['bytesSent'], 5, `${kind} ${end}`);
    }
  }
});

test('tap(socket) of UDP writes each datagram between its ends, and no TCP_INFO', async () => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const server = new Socket(AF_INET6, SOCK_DGRAM);
  server.setsockopt(IPPROTO_IPV6, IPV6_V6ONLY, 0);
  server.bind({ host: '::', port: 0 });
  const { port } = server.getsockname() as { port: number };
  const client = new Socket(undefined, SOCK_DGRAM);
  await client.connect({ host: '127.0.0.1', port });
  const { port: from } = client.getsockname() as { port: number };
  tap(server, recorder);
  await client.send(Buffer.from('first'));
  const [, address] = await server.recvfrom(100);
  await server.sendto(Buffer.from('answer'), address as never);
  await client.send(Buffer.from(''));
  await client.send(Buffer.from('third'));
  let count = 0;
  for await (const _ of server) if (++count === 2) break;
  await server.sendmmsg([
    { data: Buffer.from('a'), address },
    { data: Buffer.from('b'), address },
  ]);
  server.close();
  client.close();
  await recorder.close();
  const { datagrams, infos } = await read(file);
  assert.deepEqual(datagrams, [
    `${from} ${port} first`,
    `${port} ${from} answer`,
    `${from} ${port} `,
    `${from} ${port} third`,
    `${port} ${from} a`,
    `${port} ${from} b`,
  ]);
  assert.deepEqual(infos, []);
});

test('tap(socket) of Unix needs addresses and has no TCP_INFO; its end gives the methods back', async () => {
  using directory = new TemporaryDirectory();
  const file = join(directory.path, 'tap.pcapng');
  const recorder = await Recorder.create(file);
  const [left, right] = socketpair(AF_UNIX);
  assert.throws(() => tap(left, recorder), {
    code: 'ERR_INVALID_STATE',
    message: /no IP addresses; give/,
  });
  const path = { local: { host: '::1', port: 1 }, remote: { host: '::1', port: 2 } };
  const untap = tap(left, recorder, path);
  await right.sendall(Buffer.from('seen'));
  await left.recv(10);
  untap();
  assert.equal(Object.hasOwn(left, 'recv'), false);
  await right.sendall(Buffer.from('unseen'));
  await left.recv(10);
  left.close();
  right.close();
  await recorder.close();
  const { text, infos, flags } = await read(file);
  assert.deepEqual([text.client, infos, flags.at(-1)], ['seen', [], 'ACK']);
});

test('tap(socket) leaves sendfile alone of what can’t be read again, and says what is missing', async () => {
  using pair = await connected();
  const { recorder, client, server } = pair;
  tap(server, recorder);
  using directory = new TemporaryDirectory();
  const pipe = join(directory.path, 'pipe');
  assert.equal(spawnSync('mkfifo', [pipe]).status, 0);
  const fd = openSync(pipe, 'r+');
  writeSync(fd, 'from a pipe');
  assert.equal(await server.sendfile(fd, 0, 11), 11);
  await server.sendall(Buffer.from(' and on'));
  closeSync(fd);
  client.close();
  server.close();
  await recorder.close();
  const { missing } = await read(pair.file);
  assert.deepEqual(missing, [
    'Not recorded: 11 bytes, sent by sendfile from what cannot be read twice.',
  ]);
});

test('tap(socket) says what splice() and relay() moved, and keeps the numbers right', async () => {
  for (const move of [splice, relay]) {
    using pair = await connected();
    const { recorder, client, server } = pair;
    using other = await connected();
    tap(server, recorder);
    tap(other.server, other.recorder);
    await client.sendall(Buffer.from('hello'));
    client.shutdown(SHUT_WR);
    assert.equal(await move(server, other.server), 5);
    await server.sendall(Buffer.from('bye'));
    server.close();
    other.server.close();
    await recorder.close();
    await other.recorder.close();
    const from = await read(pair.file);
    assert.deepEqual(from.missing, [
      `Not recorded: 5 bytes, moved by ${move.name}() past the program.`,
    ]);
    assert.equal(from.infos[1]?.info['bytesReceived'], 6);
    // The peer has ended, then this end.
    assert.deepEqual(from.ends, ['client', 'server']);
    assert.equal(from.text.server, 'bye');
    const to = await read(other.file);
    assert.deepEqual(to.missing, from.missing);
  }
});
