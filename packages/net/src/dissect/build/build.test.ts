import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createDissector } from '../dissect.ts';
import { linkType } from '../layers/link-type.ts';
import { Randomness } from '../mutate.test.util.ts';
import { ByteWriter } from './byte-writer.ts';
import { ipPacket } from './ip-packet.ts';
import { ethernetFrame, linuxSllFrame } from './link-frame.ts';
import { tcpSegment } from './tcp-segment.ts';
import { udpDatagram } from './udp-datagram.ts';

const paths = [
  { source: '192.0.2.1', destination: '198.51.100.7' },
  { source: '2001:db8::1', destination: '::ffff:192.0.2.1' },
];

test('every built TCP segment and UDP datagram has good checksums, for any payload', () => {
  const dissect = createDissector();
  const random = new Randomness(5);
  for (let round = 0; round < 500; round++) {
    const path = paths[round % 2]!;
    const payload = Uint8Array.from({ length: random.below(300) }, () => random.below(256));
    const ports = { sourcePort: random.below(65536), destinationPort: 50_000, payload };
    const sequence = random.below(2 ** 31) * 2;
    const options = Array.from({ length: random.below(41) }, () => 1);
    const [protocol, segment] =
      round % 4 < 2
        ? ([6, tcpSegment(path, { ...ports, sequence, flags: random.below(512), options })] as const)
        : ([17, udpDatagram(path, ports)] as const);
    const packet = linuxSllFrame(ipPacket({ ...path, protocol, payload: segment }));
    const { layers } = dissect(packet, { linkType: linkType.linuxSll });
    const transport = layers[2];
    assert.equal(transport?.value(`${transport.protocol}.checksum.status`), 'good');
    assert.equal(layers[1]?.value('ip.checksum.status') ?? 'good', 'good');
  }
});

test('udpDatagram() sends a checksum of 0 as 0xffff', () => {
  const path = { source: '0.0.0.0', destination: '0.0.0.0' };
  // Protocol 17, length 10 twice and these two bytes add up to 0xffff.
  const payload = Uint8Array.of(0xff, 0xff - 17 - 20);
  const datagram = udpDatagram(path, { sourcePort: 0, destinationPort: 0, payload });
  assert.deepEqual([datagram[6], datagram[7]], [0xff, 0xff]);
});

test('the builders refuse what no packet can hold', () => {
  const [path] = paths;
  assert.ok(path !== undefined);
  const segment = { sourcePort: 1, destinationPort: 2, sequence: 0, flags: 2 };
  assert.throws(() => tcpSegment(path, { ...segment, options: new Uint8Array(41) }), {
    message: 'Cannot build TCP segment: options of 41 bytes exceed 40',
  });
  assert.throws(() => ipPacket({ ...path, protocol: 17, payload: new Uint8Array(65_516) }), {
    message: 'Cannot build packet: length 65536 exceeds 65535',
  });
  assert.throws(() => ipPacket({ source: '::1', destination: '127.0.0.1', protocol: 6, payload: new Uint8Array(0) }), /differ in IP version/);
  assert.throws(() => ipPacket({ source: 'localhost', destination: '127.0.0.1', protocol: 6, payload: new Uint8Array(0) }), {
    message: 'Cannot build packet: not an IP address: localhost',
  });
  assert.throws(() => ethernetFrame(new Uint8Array(0), { source: '1:2' }), /not a MAC address: 1:2/);
});

test('ByteWriter grows and writes in network order', () => {
  const writer = new ByteWriter().u8(1).u16(0x0203).u24(0x040506).u32(0xfffefdfc).zeros(200).bytes([9]);
  assert.equal(writer.length, 211);
  assert.deepEqual([...writer.finish().subarray(0, 10)], [1, 2, 3, 4, 5, 6, 0xff, 0xfe, 0xfd, 0xfc]);
  assert.equal(writer.finish().at(-1), 9);
});
