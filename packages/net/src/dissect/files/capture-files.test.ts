import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { allSamples } from '../samples.test.util.ts';
import { samplesFile, tsharkMissing, withFile } from '../tshark-oracle.test.util.ts';
import { type CaptureItem, PacketItem } from './capture-item.ts';
import { CaptureReader } from './capture-reader.ts';
import { PcapWriter } from './pcap-writer.ts';
import { PcapngWriter } from './pcapng-writer.ts';

const skip = tsharkMissing() ?? false;

function readAll(file: Uint8Array, chunkBytes = file.length): CaptureItem[] {
  const reader = new CaptureReader();
  const items: CaptureItem[] = [];
  for (let at = 0; at < file.length; at += chunkBytes) {
    items.push(...reader.push(file.subarray(at, at + chunkBytes)));
  }
  reader.end();
  return items;
}

function plain(item: CaptureItem): unknown {
  if (item.type === 'secrets' || item.type === 'unknown') {
    return { ...item, bytes: Buffer.from(item.bytes).toString('hex') };
  }
  if (item.type !== 'packet') return item;
  const { buffer: _, start: __, end: ___, ...rest } = item;
  return { ...rest, bytes: Buffer.from(item.bytes).toString('hex') };
}

const packets: PacketItem[] = [0, 1, 999, 1500].map(
  (length, index) =>
    new PacketItem({
      buffer: new Uint8Array(length).fill(index + 1),
      seconds: 4_000_000_000 + index,
      nanoseconds: 123_456_789 + index * 1000,
      originalLength: length + index,
      linkType: 101,
    }),
);

const everything: CaptureItem[] = [
  {
    type: 'section',
    format: 'pcapng',
    littleEndian: true,
    hardware: 'machine',
    os: 'Linux',
    application: 'sockeye',
    comments: ['one', 'two – 三'],
  },
  {
    type: 'interface',
    id: 0,
    linkType: 101,
    snapLength: 0,
    name: 'lo',
    filter: 'tcp port 80',
    comments: ['c'],
  },
  { type: 'interface', id: 1, linkType: 1, snapLength: 96, description: 'second' },
  {
    type: 'names',
    entries: [
      { address: '192.0.2.1', names: ['a.example', 'b.example'] },
      { address: '2001:db8::1', names: ['c.example'] },
    ],
  },
  {
    type: 'secrets',
    secretsType: 0x544c534b,
    bytes: new TextEncoder().encode('CLIENT_RANDOM 00 11\n'),
  },
  new PacketItem({
    buffer: Uint8Array.of(0x45, 0, 0, 3, 5),
    seconds: 1_700_000_000,
    nanoseconds: 1,
    linkType: 101,
    direction: 'outbound',
    comments: ['marked'],
    dropCount: 7n,
  }),
  { type: 'unknown', blockType: 0xbad, bytes: Uint8Array.of(0, 1, 2, 3) },
  {
    type: 'statistics',
    interfaceId: 0,
    time: 1_700_000_001_000_000_002n,
    received: 10n,
    dropped: 1n,
    osDropped: 2n,
  },
];

function pcapngOf(items: readonly CaptureItem[]): Uint8Array {
  const writer = new PcapngWriter();
  return Buffer.concat(items.map((item) => writer.encode(item)));
}

test('CaptureReader reads what PcapngWriter wrote, whatever the size of the chunks', () => {
  const file = pcapngOf(everything);
  for (const chunkBytes of [1, 2, 3, 7, 64, file.length]) {
    assert.deepEqual(readAll(file, chunkBytes).map(plain), everything.map(plain), `${chunkBytes}`);
  }
});

for (const littleEndian of [true, false]) {
  for (const nanoseconds of [true, false]) {
    const form = `${littleEndian ? 'little' : 'big'}-endian, ${nanoseconds ? 'nano' : 'micro'}seconds`;
    test(`CaptureReader reads what PcapWriter wrote: ${form}`, () => {
      const writer = new PcapWriter({ linkType: 101, littleEndian, nanoseconds });
      const file = Buffer.concat([writer.header(), ...packets.map((item) => writer.encode(item))]);
      for (const chunkBytes of [1, 5, 17, file.length]) {
        const [section, device, ...read] = readAll(file, chunkBytes);
        assert.deepEqual(section, { type: 'section', format: 'pcap', littleEndian });
        assert.deepEqual(device, { type: 'interface', id: 0, linkType: 101, snapLength: 262144 });
        const cut = (time: bigint): bigint => (nanoseconds ? time : time - (time % 1000n));
        assert.deepEqual(
          read.map((item) => (item.type === 'packet' ? [item.time, item.originalLength] : [])),
          packets.map((item) => [cut(item.time), item.originalLength]),
        );
      }
    });

    test(`capinfos and tshark open a pcap file without a warning: ${form}`, { skip }, () => {
      const writer = new PcapWriter({ linkType: 101, littleEndian, nanoseconds });
      const some = packets.slice(1);
      const file = Buffer.concat([writer.header(), ...some.map((item) => writer.encode(item))]);
      withFile(file, (path) => opensSilently(path, some.length));
    });
  }
}

function opensSilently(path: string, packetCount: number): void {
  const info = spawnSync('capinfos', ['-M', '-c', path], { encoding: 'utf8' });
  assert.equal(info.stderr.replace(/^Running as user.*\n/m, ''), '');
  assert.match(info.stdout, new RegExp(`Number of packets:\\s+${packetCount}\\b`));
  const shark = spawnSync('tshark', ['-n', '-r', path, '-T', 'fields', '-e', 'frame.time_epoch'], {
    encoding: 'utf8',
  });
  assert.equal(shark.status, 0);
  assert.equal(shark.stderr.replace(/^Running as user.*\n/m, ''), '');
  assert.equal(shark.stdout.trim().split('\n').length, packetCount);
}

test('capinfos and tshark open a pcapng file with every block without a warning', { skip }, () => {
  const known = everything.filter((item) => item.type !== 'unknown');
  withFile(pcapngOf(known), (path) => opensSilently(path, 1));
});

test('PcapngWriter’s times, comments and counters are what tshark reads', { skip }, () => {
  withFile(pcapngOf(everything), (path) => {
    const fields = [
      'frame.time_epoch',
      'frame.comment',
      'frame.interface_name',
      'frame.packet_flags_direction',
    ];
    const args = ['-n', '-r', path, '-T', 'fields', ...fields.flatMap((field) => ['-e', field])];
    const { stdout } = spawnSync('tshark', args, { encoding: 'utf8' });
    assert.equal(stdout.trim(), '1700000000.000000001\tmarked\tlo\t0x00000002');
  });
});

test('CaptureReader reads what editcap rewrites as each format', { skip }, async () => {
  const samples = (await allSamples()).filter((sample) => sample.linkType === 1);
  const file = samplesFile(samples);
  for (const format of ['pcap', 'nsecpcap', 'pcapng']) {
    const rewritten = withFile(file, (path) => {
      const { stdout, stderr, status } = spawnSync('editcap', ['-F', format, path, '-'], {
        maxBuffer: 1 << 26,
      });
      assert.equal(status, 0, stderr.toString());
      return stdout;
    });
    const read = readAll(rewritten, 1000).filter((item) => item.type === 'packet');
    assert.deepEqual(
      read.map((item) => Buffer.from(item.bytes).toString('hex')),
      samples.map((sample) => Buffer.from(sample.bytes).toString('hex')),
    );
    assert.equal(
      read[1]?.time,
      format === 'pcap' ? 1_700_000_001_000_000_000n : 1_700_000_001_000_000_001n,
    );
  }
});

function u32(...words: number[]): Uint8Array {
  const view = new DataView(new ArrayBuffer(words.length * 4));
  for (const [index, word] of words.entries()) view.setUint32(index * 4, word);
  return new Uint8Array(view.buffer);
}

const bigSection = u32(0x0a0d0d0a, 28, 0x1a2b3c4d, 0x00010000, 0xffffffff, 0xffffffff, 28);

test('CaptureReader reads a big-endian section, simple packets and resolutions other than ten', () => {
  // if_tsresol 0x89: units of 2^-9 s.
  const device = u32(1, 32, 0x00650000, 4, 0x00090001, 0x89000000, 0, 32);
  const simple = u32(3, 20, 6, 0x01020304, 20);
  const enhanced = u32(6, 36, 0, 0, 512 * 3 + 256, 2, 9, 0xaabb0000, 36);
  const items = readAll(Buffer.concat([bigSection, device, simple, enhanced]));
  const [, , first, second] = items;
  assert.ok(first?.type === 'packet' && second?.type === 'packet');
  assert.deepEqual([first.capturedLength, first.originalLength, first.time], [4, 6, 0n]);
  assert.deepEqual([second.capturedLength, second.originalLength], [2, 9]);
  assert.equal(second.time, 3_500_000_000n);
});

const pcapHeader = u32(0xa1b2c3d4, 0x00020004, 0, 0, 65535, 1);
const malformed: readonly (readonly [string, Uint8Array, RegExp, number])[] = [
  ['nothing', new Uint8Array(0), /end of file at offset 0, expected a pcap or pcapng header/, 0],
  ['no capture file', u32(0x7f454c46), /magic 7f454c46 at offset 0/, 0],
  ['a cut header', pcapHeader.slice(0, 20), /end of file at offset 20, expected the rest/, 20],
  ['a cut packet', Buffer.concat([pcapHeader, u32(0, 0, 8, 8, 0)]), /end of file at offset 44/, 44],
  [
    'a packet of 4 GiB',
    Buffer.concat([pcapHeader, u32(0, 0, 0xffffffff, 0)]),
    /captured length 4294967295 at offset 32, expected at most 16777216/,
    32,
  ],
  [
    'a fraction above a second',
    Buffer.concat([pcapHeader, u32(0, 1_000_000, 0, 0)]),
    /fraction 1000000 of a second at offset 28/,
    28,
  ],
  ['pcap version 3', u32(0xa1b2c3d4, 0x00030004, 0, 0, 65535, 1), /version 3 at offset 4/, 4],
  ['a wrong byte order', u32(0x0a0d0d0a, 28, 0x1a2b3c00), /wrong byte order magic at offset 8/, 8],
  [
    'an odd block length',
    Buffer.concat([bigSection, u32(1, 21, 0, 0)]),
    /block length 21 at offset 32/,
    32,
  ],
  [
    'lengths that differ',
    Buffer.concat([bigSection, u32(1, 20, 0, 0, 24)]),
    /block length 24 at offset 44, expected 20 once more/,
    44,
  ],
  [
    'a packet of an unknown interface',
    Buffer.concat([bigSection, u32(6, 32, 5, 0, 0, 0, 0, 32)]),
    /interface 5 at offset 36/,
    36,
  ],
  [
    'an option beyond its block',
    Buffer.concat([bigSection, u32(1, 24, 0, 0, 0x00020009, 24)]),
    /option length 9 at offset 46/,
    46,
  ],
];

for (const [what, file, message, offset] of malformed) {
  test(`CaptureReader refuses ${what} and says where`, () => {
    assert.throws(
      () => readAll(file, 7),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error && 'offset' in error);
        assert.equal(error.code, 'ERR_CAPTURE_FILE');
        assert.match(error.message, message);
        assert.equal(error.offset, offset);
        return true;
      },
    );
  });
}

test('CaptureReader throws the same error again after the first', () => {
  const reader = new CaptureReader();
  const read = (): unknown[] => [...reader.push(u32(0x7f454c46))];
  assert.throws(read, /magic/);
  assert.throws(read, /magic/);
  assert.throws(() => reader.end(), /magic/);
});

test('CaptureReader.push() keeps its place when the caller stops iterating', () => {
  const file = pcapngOf(everything);
  const reader = new CaptureReader();
  const kinds: string[] = [];
  for (const item of reader.push(file.subarray(0, 300))) {
    kinds.push(item.type);
    break;
  }
  for (const item of reader.push(file.subarray(300))) kinds.push(item.type);
  reader.end();
  assert.deepEqual(
    kinds,
    everything.map((item) => item.type),
  );
});

test('PcapngWriter refuses packets of interfaces that it has not written', () => {
  const writer = new PcapngWriter();
  writer.encode({ type: 'section', format: 'pcapng', littleEndian: true });
  const packet = new PacketItem({ buffer: new Uint8Array(1), seconds: 0, nanoseconds: 0 });
  assert.throws(() => writer.encode(packet), {
    name: 'RangeError',
    message: 'Cannot write pcapng: interface 0 of 0',
  });
});

test('PcapWriter refuses packets of another link type', () => {
  const packet = new PacketItem({
    buffer: new Uint8Array(1),
    seconds: 0,
    nanoseconds: 0,
    linkType: 101,
  });
  assert.throws(() => new PcapWriter().encode(packet), /link type 101 in a file of link type 1/);
});
