import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import {
  CaptureReader,
  ConversationTracker,
  PacketItem,
  PcapngWriter,
  type TcpConversation,
} from '../dissect/index.ts';
import { needs, TemporaryDirectory } from '../testing/index.ts';
import { Capture, type CaptureOptions } from './capture.ts';
import { CaptureFile } from './capture-file.ts';
import { readCapture } from './read-capture.ts';

const root = await needs('linux', 'root');
const rootAndTshark = await needs('linux', 'root', 'tshark');

/** A connection on lo, opened and closed, and what was captured of it. */
async function captureConnection(options: CaptureOptions): Promise<PacketItem[]> {
  return captureWith(options, async (capture) => {
    const found: PacketItem[] = [];
    for await (const batch of capture.packets()) for (const item of batch) found.push(copyOf(item));
    return found;
  });
}

async function captureWith<Result>(
  options: CaptureOptions,
  take: (capture: Capture, port: number) => Promise<Result>,
): Promise<Result> {
  const server = createServer((socket) => socket.end('hello'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  using capture = new Capture({ filter: `tcp port ${port}`, latencyMs: 10, ...options });
  const client = connect(port, '127.0.0.1').resume();
  await once(client, 'close');
  server.close();
  await once(server, 'close');
  capture.stop();
  const found = await take(capture, port);
  assert.equal(capture.statistics().dropped, 0);
  return found;
}

function copyOf(item: PacketItem): PacketItem {
  const { seconds, nanoseconds, linkType, originalLength, direction } = item;
  return new PacketItem({
    buffer: item.bytes.slice(),
    seconds,
    nanoseconds,
    linkType,
    originalLength,
    ...(direction === undefined ? {} : { direction }),
  });
}

function conversationOf(packets: readonly PacketItem[]): TcpConversation {
  const tracker = new ConversationTracker();
  for (const packet of packets) tracker.push(packet);
  const [conversation] = tracker.conversations();
  assert.ok(conversation?.type === 'tcp');
  return conversation;
}

for (const name of ['lo', 'any']) {
  test(
    `Capture on ${name} sees SYN, SYN+ACK and ACK once each, with the right numbers`,
    root,
    async () => {
      const packets = await captureConnection({ interface: name });
      const { handshake, close } = conversationOf(packets);
      const { syn, synAck, ack } = handshake ?? {};
      assert.deepEqual(
        [syn?.flags, synAck?.flags, ack?.flags, ack?.sequence.relative],
        ['SYN', 'SYN+ACK', 'ACK', 1],
      );
      assert.equal(synAck?.acknowledgment?.absolute, ((syn?.sequence.absolute ?? 0) + 1) >>> 0);
      assert.equal(ack?.acknowledgment?.absolute, ((synAck?.sequence.absolute ?? 0) + 1) >>> 0);
      assert.equal(packets.filter(({ bytes }) => Buffer.from(bytes).includes('hello')).length, 1);
      assert.equal(close?.isComplete, true);
    },
  );
}

for (const name of ['lo', 'any']) {
  test(
    `Capture.records() on ${name} are what packets() are, as a file has them`,
    root,
    async () => {
      const seen: PacketItem[] = [];
      const port = await captureWith({ interface: name }, async (capture, listening) => {
        const reader = new CaptureReader();
        const writer = new PcapngWriter();
        const items = [
          ...reader.push(Buffer.concat(capture.header.map((item) => writer.encode(item)))),
        ];
        assert.equal(items.length, 2);
        for await (const { bytes, count } of capture.records()) {
          const packets = [...reader.push(bytes.slice())].filter((item) => item.type === 'packet');
          assert.equal(packets.length, count);
          seen.push(...packets);
        }
        reader.end();
        return listening;
      });
      const { handshake, close, server } = conversationOf(seen);
      assert.equal(server.port, port);
      assert.deepEqual([handshake?.syn?.flags, handshake?.ack?.flags], ['SYN', 'ACK']);
      assert.equal(close?.isComplete, true);
      assert.equal(seen.filter(({ bytes }) => Buffer.from(bytes).includes('hello')).length, 1);
      assert.ok(Math.abs(seen[0]!.seconds - Date.now() / 1000) < 60);
    },
  );
}

test(
  'Capture.stop() hands over what the kernel has, and lets nothing unfiltered in',
  root,
  async () => {
    const packets = await captureConnection({ interface: 'lo', filter: 'port 1 and port 2' });
    assert.deepEqual(packets, []);
  },
);

test('Capture cuts packets at snapLength and keeps their length', root, async () => {
  const packets = await captureConnection({ interface: 'lo', snapLength: 60 });
  assert.ok(packets.length >= 6);
  assert.ok(
    packets.every(
      ({ capturedLength, originalLength }) => capturedLength === 60 && originalLength > 60,
    ),
  );
});

test('Capture with direction out sees on lo what leaves', root, async () => {
  const packets = await captureConnection({ interface: 'lo', direction: 'out' });
  assert.ok(packets.length >= 6);
  assert.ok(packets.every(({ direction }) => direction === 'outbound'));
});

test('Capture says which interface or filter is wrong', root, () => {
  assert.throws(() => new Capture({ interface: 'nosuch0' }), { code: 'ENODEV' });
  assert.throws(() => new Capture({ interface: 'lo', filter: 'tcp prt 5' }), {
    message: /"prt" at column 5/,
  });
});

test(
  'CaptureFile keeps bytes and times for tshark, readable by its owner alone',
  rootAndTshark,
  async () => {
    using directory = new TemporaryDirectory();
    const path = join(directory.path, 'handshake.pcapng');
    const packets = await captureConnection({ interface: 'lo' });
    const file = await CaptureFile.create(path);
    file.write({ type: 'section', format: 'pcapng', littleEndian: true });
    file.write({ type: 'interface', id: 0, linkType: 1, snapLength: 262_144 });
    for (const packet of packets) file.write(packet);
    await file.close();
    assert.equal(statSync(path).mode & 0o777, 0o600);
    const { stdout } = spawnSync(
      'tshark',
      ['-r', path, '-T', 'fields', '-e', 'frame.time_epoch', '-e', 'frame.len'],
      { encoding: 'utf8' },
    );
    const expected = packets.map(
      ({ seconds, nanoseconds, originalLength }) =>
        `${seconds}.${String(nanoseconds).padStart(9, '0')}\t${originalLength}\n`,
    );
    assert.equal(stdout, expected.join(''));
    const read: string[] = [];
    for await (const items of readCapture(path)) {
      for (const item of items)
        if (item.type === 'packet') read.push(Buffer.from(item.bytes).toString('hex'));
    }
    assert.deepEqual(
      read,
      packets.map(({ bytes }) => Buffer.from(bytes).toString('hex')),
    );
  },
);

test('CaptureFile rotates by size and keeps the newest maxFiles, each complete', async () => {
  using directory = new TemporaryDirectory();
  const options = { maxFileBytes: 1000, maxFiles: 2 };
  const file = await CaptureFile.create(join(directory.path, 'ring.pcapng'), options);
  file.write({ type: 'section', format: 'pcapng', littleEndian: true });
  file.write({ type: 'interface', id: 0, linkType: 101, snapLength: 0 });
  for (let i = 0; i < 50; i++) {
    file.write(
      new PacketItem({
        buffer: new Uint8Array(100).fill(i),
        seconds: i,
        nanoseconds: 0,
        linkType: 101,
      }),
    );
  }
  await file.close();
  assert.equal(file.files.length, 2);
  const seconds: number[] = [];
  for (const path of file.files) {
    assert.ok(statSync(path).size <= 1000);
    for await (const items of readCapture(path)) {
      for (const item of items) if (item.type === 'packet') seconds.push(item.seconds);
    }
  }
  assert.equal(seconds.at(-1), 49);
  assert.deepEqual(
    seconds,
    Array.from(seconds, (_, i) => (seconds[0] ?? 0) + i),
  );
});

test('CaptureFile rotates by the time of the packets, each file complete', async () => {
  using directory = new TemporaryDirectory();
  const file = await CaptureFile.create(join(directory.path, 'hours.pcapng'), {
    maxFileSeconds: 10,
  });
  file.write({ type: 'section', format: 'pcapng', littleEndian: true });
  file.write({ type: 'interface', id: 0, linkType: 101, snapLength: 0 });
  for (const seconds of [100, 109, 110, 125, 134]) {
    file.write(
      new PacketItem({ buffer: new Uint8Array(20), seconds, nanoseconds: 0, linkType: 101 }),
    );
  }
  await file.close();
  const times: number[][] = [];
  for (const path of file.files) {
    const seconds: number[] = [];
    for await (const items of readCapture(path)) {
      for (const item of items) if (item.type === 'packet') seconds.push(item.seconds);
    }
    times.push(seconds);
  }
  assert.deepEqual(times, [[100, 109], [110], [125, 134]]);
});

test('CaptureFile.writeRecords() refuses where each packet has to be seen', async () => {
  using directory = new TemporaryDirectory();
  for (const [name, options] of [
    ['a.pcap', {}],
    ['b.pcapng', { maxFileBytes: 1000 }],
    ['c.pcapng', { maxFileSeconds: 1 }],
  ] as const) {
    const file = await CaptureFile.create(join(directory.path, name), options);
    assert.equal(file.takesRecords, false);
    assert.throws(() => file.writeRecords(new Uint8Array(0)), RangeError);
    await file.close();
  }
});
