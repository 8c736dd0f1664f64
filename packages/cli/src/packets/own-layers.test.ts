import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { ipPacket, linkType, PacketItem, PcapngWriter, udpDatagram } from '@sockeye/net/dissect';
import { run, temporaryDirectory } from '../command.test.util.ts';

const GREETING = `export default {
  protocol: 'greeting',
  announcedBy: { 'udp.port': [9000] },
  dissect(packet) {
    packet.text('greeting.text', packet.u8('greeting.length'));
  },
};
`;

/** A capture of one datagram to port 9000, and a directory for what belongs to it. */
function capture(t: TestContext, payload: Uint8Array): { directory: string; file: string } {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'trace.pcapng');
  const path = { source: '192.0.2.1', destination: '192.0.2.2' };
  const datagram = udpDatagram(path, { sourcePort: 5, destinationPort: 9000, payload });
  const buffer = ipPacket({ ...path, protocol: 17, payload: datagram });
  const writer = new PcapngWriter();
  const link = linkType.raw;
  const parts = [
    writer.encode({ type: 'section', format: 'pcapng', littleEndian: true }),
    writer.encode({ type: 'interface', id: 0, linkType: link, snapLength: 0 }),
    writer.encode(new PacketItem({ buffer, seconds: 1, nanoseconds: 0, linkType: link })),
  ];
  writeFileSync(file, Buffer.concat(parts));
  return { directory, file };
}

test('read --layer shows a layer of one’s own', async (t) => {
  const { directory, file } = capture(t, Uint8Array.of(2, 0x68, 0x69));
  const layer = join(directory, 'greeting.mjs');
  writeFileSync(layer, GREETING);
  const { status, stdout } = await run(t, ['read', file, '--layers', '--layer', layer]);
  assert.equal(status, 0);
  assert.match(stdout, /greeting\.text: hi/);
});

test('read --layer makes a note of what a layer’s own code throws, and reads on', async (t) => {
  const { directory, file } = capture(t, Uint8Array.of(2, 0x68, 0x69));
  const layer = join(directory, 'greeting.mjs');
  for (const fault of [
    "packet.u8('greeting.length'); throw new TypeError('boom');",
    "packet.u8('greeting.length', () => { throw new TypeError('boom'); });",
  ]) {
    writeFileSync(layer, GREETING.replace(/packet\.text.*/, fault));
    const { status, stdout, stderr } = await run(t, ['read', file, '--json', '--layer', layer]);
    assert.deepEqual([status, stderr], [0, '']);
    const { stops } = JSON.parse(stdout) as { stops: Record<string, string>[] };
    assert.equal(stops[0]?.['reason'], 'failed');
    assert.match(stops[0]?.['expected'] ?? '', /threw TypeError: boom$/);
    const lines = await run(t, ['read', file, '--layer', layer]);
    assert.match(lines.stdout, /UDP len 3 .*\[layer greeting failed\]\n$/);
  }
});

test('read --decode-as reads a port as a protocol', async (t) => {
  const query = Buffer.from('1234010000010000000000000161076578616d706c650000010001', 'hex');
  const { file } = capture(t, query);
  const { status, stdout } = await run(t, ['read', file, '--decode-as', 'udp.port=9000:dns']);
  assert.equal(status, 0);
  assert.match(stdout, /DNS a\.example A\n$/);
});

test('read says in one line what is wrong with a layer or a --decode-as', async (t) => {
  const { directory, file } = capture(t, Uint8Array.of(0));
  const wrong = join(directory, 'wrong.mjs');
  writeFileSync(wrong, 'export default 1;');
  for (const [args, expected, message] of [
    [['--layer', wrong], 1, /its default export is no layer; expected \{ protocol/],
    [['--layer', '/nowhere.mjs'], 1, /cannot load --layer \/nowhere\.mjs: there is no such file/],
    [['--decode-as', 'udp.port=9000'], 2, /Expected where it is announced/],
    [['--decode-as', 'udp.port=9000:nope'], 2, /no layer is called nope/],
  ] as const) {
    const { status, stderr } = await run(t, ['read', file, ...args]);
    assert.equal(status, expected, stderr);
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  }
});
