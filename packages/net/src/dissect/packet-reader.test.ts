import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Layer } from './layer.ts';
import { PacketReader } from './packet-reader.ts';

const bytes = Uint8Array.of(0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x41, 0xc3, 0xa9);

function reader(bounds: Partial<ConstructorParameters<typeof PacketReader>[1]> = {}) {
  const end = bytes.length;
  const packet = new PacketReader(bytes, {
    start: 0,
    end,
    originalLength: end,
    maxFields: 100,
    ...bounds,
  });
  const layer = new Layer('test', 0);
  packet.begin(layer);
  return { packet, layer };
}

test('PacketReader reads numbers, moves and records each with its bits', () => {
  const { packet, layer } = reader();
  assert.deepEqual([packet.u8('a'), packet.u16('b'), packet.u24('c')], [0x12, 0x3456, 0x789abc]);
  assert.deepEqual(
    layer.fields.map((field) => [field.name, ...field.bits]),
    [
      ['a', 0, 8],
      ['b', 8, 24],
      ['c', 24, 48],
    ],
  );
  packet.at = 0;
  assert.deepEqual([packet.u32('d'), packet.u32('e')], [0x12345678, 0x9abcdef0]);
  packet.at = 0;
  assert.equal(packet.u64('f'), 0x123456789abcdef0n);
  assert.equal(packet.text('g', 3), 'Aé');
  assert.equal(packet.remaining, 0);
});

test('PacketReader.bits() reads any width at any place as the bits stand', () => {
  const { packet } = reader();
  const text = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('');
  for (let bit = 0; bit < 8; bit++) {
    for (let width = 1; width <= 32; width++) {
      const fresh = reader();
      const value = fresh.packet.bits('x', 2, bit, width);
      assert.equal(
        value,
        Number.parseInt(text.slice(16 + bit, 16 + bit + width), 2),
        `${bit} ${width}`,
      );
      assert.deepEqual(fresh.layer.fields[0]?.bits, [16 + bit, 16 + bit + width]);
    }
  }
  assert.equal(packet.flag('y', 1, 2), true);
  assert.equal(packet.flag('z', 1, 0), false);
});

const overruns: readonly (readonly [string, (packet: PacketReader) => unknown])[] = [
  ['u8', (packet) => packet.u8('x')],
  ['u16', (packet) => packet.u16('x')],
  ['u24', (packet) => packet.u24('x')],
  ['u32', (packet) => packet.u32('x')],
  ['u64', (packet) => packet.u64('x')],
  ['mac', (packet) => packet.mac('x')],
  ['ipv4', (packet) => packet.ipv4('x')],
  ['ipv6', (packet) => packet.ipv6('x')],
  ['raw', (packet) => packet.raw('x', 1)],
  ['raw of a negative length', (packet) => packet.raw('x', -1)],
  ['text', (packet) => packet.text('x', 1)],
  ['skip', (packet) => packet.skip(1)],
  ['bits', (packet) => packet.bits('x', packet.at, 0, 1)],
  ['flag', (packet) => packet.flag('x', packet.at, 0)],
  ['peek8', (packet) => packet.peek8(0)],
  ['peek16', (packet) => packet.peek16(-1)],
  ['peek32 before the start', (packet) => packet.peek32(-99)],
];

for (const [name, read] of overruns) {
  test(`PacketReader.${name} beyond the limit stops and records no field`, () => {
    const { packet, layer } = reader();
    packet.at = packet.end;
    assert.throws(
      () => read(packet),
      (error: unknown) => PacketReader.isStop(error),
    );
    assert.deepEqual([layer.fields.length, packet.stops.length], [0, 1]);
    assert.equal(packet.stops[0]?.protocol, 'test');
  });
}

test('PacketReader.region() ends behind its bytes whatever happens inside', () => {
  const { packet } = reader();
  packet.region(4, () => {
    packet.u8('x');
    assert.equal(packet.remaining, 3);
    packet.raw('y', 4);
  });
  assert.deepEqual([packet.at, packet.end], [4, bytes.length]);
  assert.deepEqual(
    packet.stops.map((stop) => [stop.offset, stop.reason]),
    [[1, 'malformed']],
  );
});

test('PacketReader tells bytes that the capture cut from bytes that never were', () => {
  const { packet } = reader({ originalLength: 100 });
  packet.limit(50);
  assert.equal(packet.isWhole, false);
  assert.throws(() => packet.skip(40));
  assert.equal(packet.stops[0]?.reason, 'truncated');
  assert.throws(() => packet.skip(60));
  assert.equal(packet.stops[1]?.reason, 'malformed');
});

test('PacketReader keeps at most 16 stops', () => {
  const { packet } = reader();
  for (let round = 0; round < 50; round++) {
    packet.at = 0;
    packet.region(1, () => packet.skip(2));
  }
  assert.equal(packet.stops.length, 16);
});

test('PacketReader.find() looks no further than the limit', () => {
  const { packet } = reader();
  assert.equal(packet.find(0x9a), 4);
  packet.limit(4);
  assert.equal(packet.find(0x9a), -1);
});
