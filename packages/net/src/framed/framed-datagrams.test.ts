import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import type { InetAddress } from '../address/index.ts';
import { type Codec, decodeSequenced, encodeSequenced, jsonLines, lines } from '../codec/index.ts';
import { AF_INET, SOCK_DGRAM } from '../constants/index.ts';
import { Socket, socketpair } from '../socket/index.ts';
import { PythonPeer, turns, until } from '../testing/index.ts';
import type { DatagramMessages } from './datagram-messages.ts';
import { framedDatagrams, type FramedDatagramsOptions } from './framed-datagrams.ts';
import { bound, type Faults, LossyRelay } from './lossy-relay.test.support.ts';
import { RecentMap } from './recent-map.ts';

const NONE: Faults = { loss: 0, duplication: 0, reordering: 0 };
const QUICK = { minRtoMs: 20, maxRtoMs: 100 };

function open(options: FramedDatagramsOptions = {}): {
  messages: DatagramMessages<string>;
  address: InetAddress;
  socket: Socket<number>;
} {
  const socket = bound();
  const address = socket.getsockname() as InetAddress;
  return { messages: framedDatagrams(socket, lines(), options), address, socket };
}

/** The next `count` messages. */
async function take(messages: DatagramMessages<string>, count: number): Promise<string[]> {
  const taken: string[] = [];
  for await (const { message } of messages) {
    if (taken.push(message) === count) break;
  }
  return taken;
}

const numbers = (count: number): string[] => Array.from({ length: count }, (_, i) => `m${i}`);

test('loss, duplication and reordering are told and counted as they happened', async () => {
  const receiver = open();
  using relay = new LossyRelay(receiver.address, { loss: 10, duplication: 10, reordering: 10 }, 7);
  const sender = open();
  const events = { gap: 0, reordered: 0, duplicate: 0 };
  receiver.messages.on('gap', (_remote, missing) => (events.gap += missing));
  receiver.messages.on('reordered', () => events.reordered++);
  receiver.messages.on('duplicate', () => events.duplicate++);
  const got: string[] = [];
  const loop = (async () => {
    for await (const { message } of receiver.messages) got.push(message);
  })();
  for (const text of numbers(1000)) {
    await sender.messages.send(text, relay.address);
    await turns();
  }
  const arrived = (): number => {
    const { received, duplicates } = receiver.messages.counts;
    return received + duplicates;
  };
  await until(
    () => arrived() >= 1000 - relay.lost && arrived() === relay.passed.length,
    'all came',
  );
  // What a reader of the datagrams that the relay passed on would say.
  const expected = { received: 0, duplicates: 0, reordered: 0, highest: -1 };
  const seen = new Set<number>();
  for (const datagram of relay.passed) {
    const packet = decodeSequenced(datagram);
    assert.ok(packet.type === 'data');
    const { sequence } = packet;
    if (seen.has(sequence)) expected.duplicates++;
    else {
      expected.received++;
      if (sequence < expected.highest) expected.reordered++;
    }
    seen.add(sequence);
    expected.highest = Math.max(expected.highest, sequence);
  }
  const { counts } = receiver.messages;
  const { received, duplicates, reordered } = counts;
  const { highest, ...sums } = expected;
  assert.deepEqual({ received, duplicates, reordered }, sums);
  assert.ok(relay.lost > 50 && duplicates > 50 && reordered > 50, JSON.stringify(counts));
  assert.equal(counts.missing + counts.lost, highest + 1 - received);
  assert.equal(events.duplicate, duplicates);
  assert.equal(events.reordered, reordered);
  assert.equal(events.gap - reordered, counts.missing + counts.lost);
  assert.deepEqual(new Set(got), new Set([...seen].map((sequence) => `m${sequence}`)));
  assert.equal(got.length, received);
  await Promise.all([sender.messages.close(), receiver.messages.close()]);
  await loop;
});

for (const [name, faults] of [
  ['a network that loses nothing', NONE],
  ['loss of 20 %', { loss: 20, duplication: 0, reordering: 0 }],
  ['loss, duplication and reordering of 15 % each', { loss: 15, duplication: 15, reordering: 15 }],
] as const) {
  test(`reliable delivers each message once and in order over ${name}`, async () => {
    const receiver = open();
    using relay = new LossyRelay(receiver.address, { ...faults }, 11);
    const sender = open({ reliable: true, maxRetransmissions: 30, ...QUICK });
    const got = take(receiver.messages, 300);
    for (const text of numbers(300)) await sender.messages.send(text, relay.address);
    await sender.messages.flush();
    assert.deepEqual(await got, numbers(300));
    assert.equal(receiver.messages.counts.received, 300);
    assert.equal(relay.lost > 0, faults.loss > 0);
    await Promise.all([sender.messages.close(), receiver.messages.close()]);
  });
}

test('reliable replies go to the sender of each message, over one socket', async () => {
  const server = open({ reliable: true, ...QUICK });
  const loop = (async () => {
    for await (const { message, remote } of server.messages) {
      await server.messages.send(message.toUpperCase(), remote);
    }
  })();
  const clients = await Promise.all(
    ['a', 'b', 'c'].map(async (name) => {
      const socket = new Socket(AF_INET, SOCK_DGRAM);
      await socket.connect(server.address);
      const messages = framedDatagrams(socket, lines(), { reliable: true, ...QUICK });
      for (const text of [1, 2, 3]) await messages.send(`${name}${text}`);
      return messages;
    }),
  );
  const replies = await Promise.all(clients.map((client) => take(client, 3)));
  assert.deepEqual(replies, [
    ['A1', 'A2', 'A3'],
    ['B1', 'B2', 'B3'],
    ['C1', 'C2', 'C3'],
  ]);
  await Promise.all(clients.map((client) => client.flush()));
  await server.messages.flush();
  for (const client of clients) await client.close();
  await server.messages.close();
  await loop;
});

test('a peer that never answers fails flush() and the next send(), which then begins anew', async () => {
  const receiver = open();
  using relay = new LossyRelay(receiver.address, { ...NONE, loss: 100 }, 3);
  const sender = open({
    reliable: true,
    maxRetransmissions: 2,
    window: 2,
    minRtoMs: 10,
    maxRtoMs: 20,
  });
  const told = once(sender.messages, 'failed');
  await sender.messages.send('one', relay.address);
  await sender.messages.send('two', relay.address);
  await assert.rejects(sender.messages.send('waits for room', relay.address), {
    code: 'ETIMEDOUT',
    message: /message 0 was not acknowledged after 3 transmissions/,
  });
  const [error, remote] = (await told) as [Error, InetAddress];
  assert.match(error.message, /not acknowledged/);
  assert.deepEqual(remote, relay.address);
  await assert.rejects(sender.messages.flush(), { code: 'ETIMEDOUT' });
  await assert.rejects(sender.messages.send('told once', relay.address), { code: 'ETIMEDOUT' });
  relay.faults.loss = 0;
  await sender.messages.send('anew', relay.address);
  assert.deepEqual(await take(receiver.messages, 1), ['anew']);
  await Promise.all([sender.messages.close(), receiver.messages.close()]);
});

test('send() waits while window messages are unacknowledged', async () => {
  const receiver = open();
  using relay = new LossyRelay(receiver.address, { ...NONE, loss: 100 }, 3);
  const sender = open({ reliable: true, window: 3, minRtoMs: 50, maxRtoMs: 50 });
  for (const text of ['1', '2', '3']) await sender.messages.send(text, relay.address);
  let isDone = false;
  const fourth = sender.messages.send('4', relay.address).then(() => (isDone = true));
  await turns(5);
  assert.equal(isDone, false);
  relay.faults.loss = 0;
  await fourth;
  assert.deepEqual(await take(receiver.messages, 4), ['1', '2', '3', '4']);
  await Promise.all([sender.messages.close(), receiver.messages.close()]);
});

test('what is no message is dropped, told and counted, and the others come', async () => {
  const receiver = open();
  const socket = bound();
  const errors: string[] = [];
  receiver.messages.on('malformed', (error) => errors.push(error.code));
  const codec = jsonLines();
  const json = framedDatagrams(bound(), codec);
  const data = { type: 'data', stream: 1, acknowledge: false } as const;
  await socket.sendto(Buffer.from('stray'), receiver.address);
  await socket.sendto(Buffer.alloc(20, 'x'), receiver.address);
  await socket.sendto(
    encodeSequenced({ ...data, sequence: 0, payload: Buffer.alloc(70_000 - 5_000) }),
    receiver.address,
  );
  const good = encodeSequenced({ ...data, sequence: 1, payload: Buffer.from('two\nlines\n') });
  await socket.sendto(good, receiver.address);
  const got = await take(receiver.messages, 3);
  assert.deepEqual(got.slice(1), ['two', 'lines']);
  assert.deepEqual(errors, ['ERR_FRAME_TRUNCATED', 'ERR_FRAME_MALFORMED']);
  assert.equal(receiver.messages.counts.malformed, 2);
  socket.close();
  await json.close();
  await receiver.messages.close();
});

test('messages above maxQueued are dropped, and a reliable sender repeats them', async () => {
  for (const reliable of [false, true]) {
    const receiver = open({ maxQueued: 2 });
    const sender = open({ reliable, maxRetransmissions: 30, ...QUICK });
    const dropped = once(receiver.messages, 'overflow');
    for (const text of ['1', '2', '3', '4']) await sender.messages.send(text, receiver.address);
    await dropped;
    await until(() => receiver.messages.counts.overflow >= 2, 'both are dropped');
    const count = reliable ? 4 : 2;
    assert.deepEqual(await take(receiver.messages, count), ['1', '2', '3', '4'].slice(0, count));
    await Promise.all([sender.messages.close(), receiver.messages.close()]);
  }
});

test('framedDatagrams() with reliable talks to Python, which forgets its first acknowledgement', async () => {
  await using peer = new PythonPeer(`
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(('127.0.0.1', 0))
    say(s.getsockname()[1])
    sequences, expected, flags = [], 0, set()
    while expected < 3:
        data, remote = s.recvfrom(2000)
        magic, version, flag, stream, sequence = struct.unpack('!HBBII', data[:12])
        assert (magic, version) == (0x534b, 0x10)
        flags.add(flag)
        sequences.append([sequence, data[12:].decode()])
        if len(sequences) == 1: continue
        if sequence == expected: expected += 1
        s.sendto(struct.pack('!HBBIII', 0x534b, 0x11, 0, stream, expected, 0), remote)
    say([sequences, sorted(flags)])
  `);
  const remote = { host: '127.0.0.1', port: await peer.hear<number>() };
  const sender = open({ reliable: true, window: 1, ...QUICK });
  for (const text of ['a', 'b', 'c']) await sender.messages.send(text, remote);
  await sender.messages.close();
  const [sequences, flags] = await peer.hear<[[number, string][], number[]]>();
  assert.deepEqual(sequences.slice(0, 2), [
    [0, 'a\n'],
    [0, 'a\n'],
  ]);
  assert.deepEqual(sequences.at(-1), [2, 'c\n']);
  assert.deepEqual(flags, [1]);
});

test('close() ends the iteration and a send() after it; errors of the network are told', async () => {
  const gone = bound();
  const remote = gone.getsockname() as InetAddress;
  gone.close();
  const socket = new Socket(AF_INET, SOCK_DGRAM);
  await socket.connect(remote);
  const messages = framedDatagrams(socket, lines());
  const told = once(messages, 'unreachable');
  const loop = take(messages, 1);
  await messages.send('x');
  const [error] = (await told) as [Error & { code: string }];
  assert.equal(error.code, 'ECONNREFUSED');
  await messages.close();
  assert.deepEqual(await loop, []);
  assert.equal(socket.closed, true);
  await assert.rejects(messages.send('y'), { code: 'EBADF' });
});

test('framedDatagrams() refuses wrong arguments and other sockets by name', () => {
  const [left, right] = socketpair();
  assert.throws(() => framedDatagrams(left, lines()), { code: 'ERR_INVALID_STATE' });
  const socket = bound();
  const wrong: [FramedDatagramsOptions, RegExp][] = [
    [{ maxQueued: 0 }, /maxQueued/],
    [{ maxPeers: 1.5 }, /maxPeers/],
    [{ window: 33 }, /window 33/],
    [{ maxRetransmissions: -1 }, /maxRetransmissions -1/],
    [{ minRtoMs: 0 }, /minRtoMs 0/],
    [{ sequenceWindow: 0 }, /window 0/],
  ];
  for (const [options, message] of wrong) {
    assert.throws(() => framedDatagrams(socket, lines(), options), { message });
  }
  assert.throws(() => framedDatagrams(socket, {} as Codec<string>), { message: /codec/ });
  socket.setblocking(false);
  assert.throws(() => framedDatagrams(socket, lines()), { message: /has a timeout/ });
  for (const each of [left, right, socket]) each.close();
});

test('RecentMap forgets what was not used for longest, as far as it may', () => {
  const map = new RecentMap<string, number>(2, (value) => value !== 1);
  map.obtain('one', () => 1);
  map.obtain('two', () => 2);
  map.obtain('three', () => 3);
  assert.deepEqual([...map.values()], [1, 3]);
  map.obtain('one', () => 9);
  map.obtain('four', () => 4);
  assert.deepEqual([...map.values()], [1, 4]);
  assert.equal(map.get('three'), undefined);
});
