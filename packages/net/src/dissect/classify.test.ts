import assert from 'node:assert/strict';
import { test } from 'node:test';
import { classify, PacketClass } from './classify.ts';
import { createDissector, type Dissection } from './dissect.ts';
import { linkType } from './layers/link-type.ts';
import { allSamples, ascii, tcpPacket } from './samples.test.util.ts';

const dissect = createDissector();

/** The first value of that name before any quoted or tunnelled packet. */
function outermost({ layers }: Dissection, name: string): unknown {
  return layers.map((layer) => layer.value(name)).find((value) => value !== undefined);
}

test('classify() finds the same ports, flags and numbers as dissect() in every sample', async () => {
  const found = new PacketClass();
  let transports = 0;
  for (const { name, bytes, linkType: link } of await allSamples()) {
    const dissection = dissect(bytes, { linkType: link });
    classify(bytes, link, found);
    if (found.protocol !== 6 && found.protocol !== 17) continue;
    const prefix = found.protocol === 6 ? 'tcp' : 'udp';
    if (found.isFragment) continue;
    transports++;
    assert.equal(found.sourcePort, outermost(dissection, `${prefix}.srcport`), name);
    assert.equal(found.destinationPort, outermost(dissection, `${prefix}.dstport`), name);
    if (found.protocol === 17) continue;
    assert.equal(found.sequence, outermost(dissection, 'tcp.seq_raw'), name);
    assert.equal(found.acknowledgment, outermost(dissection, 'tcp.ack_raw'), name);
    assert.equal(found.flags, outermost(dissection, 'tcp.flags'), name);
    assert.equal(found.payloadLength, outermost(dissection, 'tcp.len'), name);
  }
  assert.ok(transports > 60, `${transports} samples have TCP or UDP`);
});

test('classify() of any prefix returns without reading behind it', async () => {
  const found = new PacketClass();
  for (const { bytes, linkType: link } of await allSamples()) {
    for (let length = 0; length < bytes.length; length++) {
      classify(bytes, link, found, 0, length);
      assert.ok(found.payloadLength >= 0 && found.payloadLength <= length);
    }
  }
});

test('classify() works in the middle of a buffer', () => {
  const packet = tcpPacket({ source: '::1', destination: '::1' }, { payload: ascii('hello') });
  const buffer = Uint8Array.of(9, 9, 9, ...packet, 9, 9);
  const found = new PacketClass();
  assert.ok(classify(buffer, linkType.raw, found, 3, 3 + packet.length));
  assert.equal(found.sourceAt, 11);
  assert.equal(found.payloadAt, 3 + 60);
  assert.equal(found.payloadLength, 5);
});
