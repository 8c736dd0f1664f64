import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipPacket } from '../build/ip-packet.ts';
import { ethernetFrame } from '../build/link-frame.ts';
import { createDissector } from '../dissect.ts';
import { linkType } from '../layers/link-type.ts';
import { hex, udpPacket } from '../samples.test.util.ts';
import { FragmentReassembler } from './fragment-reassembler.ts';

const v4 = { source: '192.0.2.1', destination: '198.51.100.7' };
const v6 = { source: '2001:db8::1', destination: '2001:db8::2' };
const payload = Uint8Array.from({ length: 3000 }, (_, index) => index * 7);

/** Cuts a packet's payload into fragments of `size` bytes, inside Ethernet frames. */
function fragmentsOf(path: typeof v4, size: number): Uint8Array[] {
  const isIp4 = path === v4;
  const whole = udpPacket(path, [5000, 5001], payload).subarray(isIp4 ? 20 : 40);
  const count = Math.ceil(whole.length / size);
  return Array.from({ length: count }, (_, index) => {
    const part = whole.slice(index * size, (index + 1) * size);
    const more = index < count - 1;
    const offset = index * size;
    const fragment = isIp4
      ? {
          protocol: 17,
          fragment: (more ? 0x2000 : 0) | (offset / 8),
          identification: 77,
          payload: part,
        }
      : {
          protocol: 44,
          payload: Uint8Array.of(
            17,
            0,
            offset >> 8,
            (offset & 0xf8) | Number(more),
            0,
            0,
            0,
            9,
            ...part,
          ),
        };
    return ethernetFrame(ipPacket({ ...path, ...fragment }));
  });
}

const orders: readonly (readonly [string, (fragments: Uint8Array[]) => Uint8Array[]])[] = [
  ['in order', (fragments) => fragments],
  ['backwards', (fragments) => fragments.toReversed()],
  [
    'with repetitions',
    (fragments) =>
      fragments
        .slice(0, -1)
        .flatMap((one) => [one, one])
        .concat(fragments.slice(-1)),
  ],
];

for (const [name, path] of [
  ['IPv4', v4],
  ['IPv6', v6],
] as const) {
  for (const [order, arrange] of orders) {
    test(`FragmentReassembler gives the ${name} packet that was cut, ${order}`, () => {
      const reassembler = new FragmentReassembler();
      const packets = arrange(fragmentsOf(path, 1000)).map((bytes) => Buffer.from(bytes));
      const before = packets.map((bytes) => bytes.toString('hex'));
      const results = packets.map((bytes) => reassembler.push({ bytes }));
      // A Buffer's slice() is a view.
      assert.deepEqual(
        packets.map((bytes) => bytes.toString('hex')),
        before,
      );
      assert.equal(reassembler.tookLast, true);
      assert.ok(results.slice(0, -1).every((result) => result === undefined));
      const whole = results.at(-1);
      assert.ok(whole !== undefined);
      assert.equal(reassembler.waiting, 0);
      const { layers, stops } = createDissector()(whole, { linkType: linkType.raw });
      assert.deepEqual(stops, []);
      assert.equal(layers.at(-2)?.value('udp.checksum.status'), 'good');
      assert.deepEqual(layers.at(-1)?.value('data.data'), payload);
      if (path === v4) assert.equal(layers[1]?.value('ip.checksum.status'), 'good');
    });
  }
}

test('FragmentReassembler gives nothing for packets that are no fragments', () => {
  const reassembler = new FragmentReassembler();
  assert.equal(
    reassembler.push({ bytes: ethernetFrame(udpPacket(v4, [1, 2], payload)) }),
    undefined,
  );
  assert.equal(reassembler.push({ bytes: hex('00 01 02') }), undefined);
  assert.equal(reassembler.waiting, 0);
  assert.equal(reassembler.tookLast, false);
});

test('FragmentReassembler drops a packet whose fragments overlap with other bytes', () => {
  const reassembler = new FragmentReassembler();
  const [first] = fragmentsOf(v4, 1000);
  assert.ok(first !== undefined);
  reassembler.push({ bytes: first });
  reassembler.push({ bytes: first.map((byte, index) => (index === 600 ? byte ^ 1 : byte)) });
  assert.deepEqual([reassembler.dropped, reassembler.waiting], [1, 0]);
});

test('FragmentReassembler drops what is older than its timeout and what exceeds maxBytes', () => {
  const old = new FragmentReassembler({ timeoutSeconds: 30 });
  const [first, second] = fragmentsOf(v4, 1000);
  assert.ok(first !== undefined && second !== undefined);
  old.push({ bytes: first, seconds: 100 });
  old.push({ bytes: second, seconds: 131 });
  assert.deepEqual([old.dropped, old.waiting], [1, 1]);

  const full = new FragmentReassembler({ maxBytes: 5000 });
  for (let identification = 0; identification < 100; identification++) {
    const packet = ipPacket({
      ...v4,
      protocol: 17,
      fragment: 0x2000,
      identification,
      payload: payload.slice(0, 1000),
    });
    full.push({ bytes: packet, linkType: linkType.raw });
  }
  assert.deepEqual([full.dropped, full.waiting], [96, 4]);
});
