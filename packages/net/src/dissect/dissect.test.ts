import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipPacket } from './build/ip-packet.ts';
import { ethernetFrame } from './build/link-frame.ts';
import { StreamReassembler } from './conversations/stream-reassembler.ts';
import { createDissector } from './dissect.ts';
import type { LayerDefinition } from './layer-definition.ts';
import { builtInLayers } from './layers/built-in-layers.ts';
import { lengthPrefixLayer } from './layers/length-prefix.ts';
import { allSamples, ascii, tcpPacket, udpPacket } from './samples.test.util.ts';
import { unusedReasons } from './tshark-differences.test.util.ts';
import {
  compareSamples,
  samplesFile,
  tsharkBits,
  tsharkOracleMissing,
  withFile,
} from './tshark-oracle.test.util.ts';

const path = { source: '192.0.2.1', destination: '198.51.100.7' };
const dissect = createDissector();

test('dissect() agrees with tshark field by field on a sample of every protocol', {
  skip: tsharkOracleMissing() ?? false,
}, async () => {
  const samples = await allSamples();
  const differences = compareSamples(samples, { 'tcp.port': { 8765: 'websocket' } });
  assert.deepEqual(differences, []);
  // A live capture alone has checksums that the card completes.
  const unused = unusedReasons().filter((reason) => !reason.startsWith('captured on the sending'));
  assert.deepEqual(unused, []);
});

test('dissect() leaves the bytes of a Buffer as they are', async () => {
  const own = createDissector({ decodeAs: { 'tcp.port': { 8765: 'websocket' } } });
  for (const { name, bytes, linkType } of await allSamples()) {
    const buffer = Buffer.from(bytes);
    own(buffer, { linkType });
    assert.ok(buffer.equals(bytes), name);
  }
});

// tshark gives no mask for these; it reads options behind End of Option List; and it counts an
// option's body to its type.
const otherBits: ReadonlySet<string> = new Set([
  'ip.version',
  'ip.hdr_len',
  'ipv6.version',
  'tcp.hdr_len',
  'tcp.option_kind',
  'dhcp.option.type',
]);

test('dissect() says of every field the same bits as tshark', {
  skip: tsharkOracleMissing() ?? false,
}, async (context) => {
  const samples = await allSamples();
  const theirs = withFile(samplesFile(samples), tsharkBits);
  const own = createDissector({ decodeAs: { 'tcp.port': { 8765: 'websocket' } } });
  let compared = 0;
  for (const [index, { name, bytes, linkType }] of samples.entries()) {
    const fields = own(bytes, { linkType }).layers.flatMap((layer) => layer.fields);
    for (const fieldName of new Set(fields.map((field) => field.name))) {
      const expected = theirs[index]?.get(fieldName);
      const ranges = fields
        .filter((field) => field.name === fieldName && field.start < field.end)
        .map((field) => field.bits.join('-'));
      if (expected === undefined || ranges.length === 0 || otherBits.has(fieldName)) continue;
      assert.deepEqual(ranges.toSorted(), expected, `${name}: ${fieldName}`);
      compared += ranges.length;
    }
  }
  context.diagnostic(`${compared} fields`);
  assert.ok(compared > 4000);
});

test('dissect() gives the layers of a message sent over TCP, each with its bits', () => {
  const packet = tcpPacket(path, { payload: ascii('hello'), flags: 0x18 });
  const { layers, stops } = dissect(ethernetFrame(packet));
  assert.deepEqual(
    layers.map(({ protocol, start, end }) => [protocol, start, end]),
    [
      ['eth', 0, 14],
      ['ip', 14, 34],
      ['tcp', 34, 54],
      ['data', 54, 59],
    ],
  );
  assert.deepEqual(stops, []);
  assert.deepEqual(layers[1]?.field('ip.ttl')?.bits, [176, 184]);
  assert.equal(layers[2]?.value('tcp.checksum.status'), 'good');
});

test('dissect() of any prefix of any sample returns layers and says where it stopped', async () => {
  for (const { bytes, linkType } of await allSamples()) {
    const whole = dissect(bytes, { linkType });
    for (let length = 0; length < bytes.length; length++) {
      const cut = dissect(bytes, { linkType, end: length, originalLength: bytes.length });
      assert.ok(cut.layers.length >= 1 && cut.layers.length <= whole.layers.length + 1);
      for (const stop of cut.stops) assert.ok(stop.offset <= length);
      for (const layer of cut.layers) {
        for (const field of layer.fields) assert.ok(field.end <= length * 8, field.name);
      }
    }
  }
});

test('dissect() says truncated for a cut capture and malformed for a lying packet', () => {
  const packet = ethernetFrame(tcpPacket(path, {}));
  assert.equal(
    dissect(packet, { end: 40, originalLength: packet.length }).stops[0]?.reason,
    'truncated',
  );
  assert.equal(dissect(packet.slice(0, 40)).stops[0]?.reason, 'malformed');
});

test('dissect() leaves checksums unverified that the network card completes', () => {
  const packet = tcpPacket(path, { payload: ascii('x') });
  // What Linux leaves in the field for the card: the sum of the pseudo-header alone.
  const pseudo = [0xc000, 0x0201, 0xc633, 0x6407, 6, 21].reduce((sum, word) => sum + word, 0);
  new DataView(packet.buffer).setUint16(36, (pseudo & 0xffff) + (pseudo >>> 16));
  const layers = dissect(ethernetFrame(packet)).layers;
  assert.equal(layers[2]?.value('tcp.checksum.status'), 'unverified');
});

test('dissect() stops at maxLayers and maxFields', () => {
  let packet = udpPacket(path, [1, 2], ascii('x'));
  for (let depth = 0; depth < 40; depth++)
    packet = ipPacket({ ...path, protocol: 4, payload: packet });
  const deep = dissect(ethernetFrame(packet));
  assert.equal(deep.stops[0]?.reason, 'limit');
  assert.ok(deep.layers.length <= 33);
  const few = createDissector({ maxFields: 10 })(ethernetFrame(packet));
  assert.equal(few.layers.flatMap((layer) => layer.fields).length, 10);
  assert.equal(few.stops[0]?.reason, 'limit');
});

test('createDissector() takes a layer of one’s own, in one object', () => {
  const greeting: LayerDefinition = {
    protocol: 'greeting',
    announcedBy: { 'udp.port': [9000] },
    dissect(packet) {
      packet.text('greeting.text', packet.u8('greeting.length'));
    },
  };
  const own = createDissector({ layers: [...builtInLayers, greeting] });
  const { layers } = own(ethernetFrame(udpPacket(path, [5, 9000], Uint8Array.of(2, 0x68, 0x69))));
  assert.equal(layers.at(-1)?.value('greeting.text'), 'hi');
});

test('createDissector() with decodeAs takes the layer of the transport that is named', async () => {
  const query = (await allSamples()).find((sample) => sample.name.startsWith('DNS'));
  assert.ok(query !== undefined);
  const payload = query.bytes.slice(query.bytes.length - 33);
  const own = createDissector({ decodeAs: { 'udp.port': { 9000: 'dns' } } });
  const { layers, stops } = own(ethernetFrame(udpPacket(path, [5, 9000], payload)));
  assert.equal(layers.at(-1)?.value('dns.qry.name'), 'www.example.org');
  assert.deepEqual(stops, []);
});

test('createDissector() refuses decodeAs of a protocol that no layer has', () => {
  assert.throws(() => createDissector({ decodeAs: { 'tcp.port': { 1: 'nope' } } }), {
    name: 'RangeError',
    message: 'Cannot decode tcp.port 1: no layer is called nope',
  });
});

test('dissect() says continued of a message that goes on in the next segment', async () => {
  const hello = (await allSamples()).find((sample) => sample.name === 'TLS, segment 3');
  assert.ok(hello !== undefined);
  const payload = hello.bytes.subarray(54);
  const head = tcpPacket(path, { destinationPort: 443, payload: payload.subarray(0, 100) });
  const { layers, stops } = dissect(ethernetFrame(head));
  assert.equal(layers.at(-1)?.value('tls.handshake.version'), 0x0303);
  assert.deepEqual(
    stops.map((stop) => [stop.protocol, stop.reason]),
    [['tls', 'continued']],
  );

  const tcp = new StreamReassembler();
  tcp.start(0);
  tcp.push(100, payload.subarray(100));
  const stream = tcp
    .push(0, payload.subarray(0, 100))
    .map((part) => (part.type === 'data' ? part.bytes : new Uint8Array(0)));
  const whole = dissect(Buffer.concat(stream), {
    payloadOf: { table: 'tcp.port', keys: [443, 40000] },
  });
  assert.deepEqual(whole.stops, []);
  assert.equal(whole.layers[0]?.value('tls.handshake.extensions_server_name'), 'server.example');
});

test('dissect() of nothing gives the link layer and where it stopped', () => {
  const { layers, stops } = dissect(new Uint8Array(0));
  assert.deepEqual(
    layers.map((layer) => layer.protocol),
    ['eth'],
  );
  assert.equal(stops[0]?.offset, 0);
});

test('lengthPrefixLayer() reads messages of either endian and shows one that is cut', () => {
  const frames = lengthPrefixLayer({
    bytes: 2,
    endian: 'little',
    protocol: 'chat',
    tcpPorts: [8090],
  });
  const own = createDissector({ layers: [...builtInLayers, frames] });
  const payload = Uint8Array.of(2, 0, 0x68, 0x69, 5, 0, 0x61);
  const { layers, stops } = own(ethernetFrame(tcpPacket(path, { destinationPort: 8090, payload })));
  const chat = layers.at(-1);
  assert.deepEqual(
    chat?.fields.map((field) => [
      field.name,
      field.value instanceof Uint8Array ? 'bytes' : field.value,
    ]),
    [
      ['chat.length', 2],
      ['chat.message', 'bytes'],
      ['chat.length', 5],
    ],
  );
  assert.deepEqual(
    stops.map((stop) => stop.reason),
    ['continued'],
  );
});

test('JSON.stringify() of a dissection has tshark’s names, bits and bytes as hex', () => {
  const text = JSON.stringify(
    dissect(ethernetFrame(udpPacket(path, [1, 2], Uint8Array.of(1, 255)))),
  );
  assert.match(text, /"name":"ip.ttl","value":64,"bits":\[176,184\]/);
  assert.match(text, /"name":"data.data","value":"01:ff"/);
});
