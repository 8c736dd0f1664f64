import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PacketItem } from './capture-item.ts';
import { PacketRecords } from './packet-records.ts';
import { PcapngWriter } from './pcapng-writer.ts';

const source = Uint8Array.from({ length: 4096 }, (_, index) => (index * 7 + 1) & 255);
const lengths = [0, 1, 2, 3, 4, 5, 63, 64, 510, 511, 512, 513, 514, 515, 516, 2000, 2001, 2003];
const times = [
  [0, 0],
  [1_700_000_000, 999_999_999],
  [4_294_967_295, 1],
] as const;

test('PacketRecords holds what PcapngWriter writes of the same packets, used again too', () => {
  const records = new PacketRecords(64);
  const view = new DataView(source.buffer);
  for (const [seconds, nanoseconds] of times) {
    const writer = new PcapngWriter();
    writer.encode({ type: 'section', format: 'pcapng', littleEndian: true });
    writer.encode({ type: 'interface', id: 0, linkType: 1, snapLength: 0 });
    const expected = lengths.map((length, index) => {
      const start = index * 3;
      const end = start + length;
      const isOutgoing = index % 2 === 0;
      const packet = { seconds, nanoseconds, originalLength: length + index };
      records.add(view, start, end, { ...packet, isOutgoing });
      const direction = isOutgoing ? 'outbound' : 'inbound';
      return writer.encode(new PacketItem({ buffer: source, start, end, ...packet, direction }));
    });
    assert.deepEqual(Buffer.from(records.bytes), Buffer.concat(expected));
    assert.equal(records.count, lengths.length);
    records.clear();
  }
  assert.equal(records.bytes.length, 0);
});
