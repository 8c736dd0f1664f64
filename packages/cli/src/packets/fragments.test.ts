import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { CaptureFile } from '@sockeye/net/capture';
import { ipPacket, linkType, PacketItem, udpDatagram } from '@sockeye/net/dissect';
import { run, temporaryDirectory } from '../command.test.util.ts';

const v4 = { source: '192.0.2.1', destination: '192.0.2.2' };
const v6 = { source: '2001:db8::1', destination: '2001:db8::2' };
const PART_BYTES = 1000;

/** An IPv6 fragment header and what it stands before, RFC 8200 4.5. */
function behindHeader(offset: number, more: boolean, part: Uint8Array): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 17;
  header.writeUInt16BE(offset | Number(more), 2);
  header.writeUInt32BE(7, 4);
  return Buffer.concat([header, part]);
}

/** A datagram of 2500 bytes in three fragments. */
function fragments(path: typeof v4): Uint8Array[] {
  const payload = Buffer.alloc(2500, 'x');
  const datagram = udpDatagram(path, { sourcePort: 5000, destinationPort: 5001, payload });
  return [0, 1, 2].map((index) => {
    const offset = index * PART_BYTES;
    const part = datagram.subarray(offset, offset + PART_BYTES);
    const more = index < 2;
    if (path === v6) {
      return ipPacket({ ...path, protocol: 44, payload: behindHeader(offset, more, part) });
    }
    const fragment = (more ? 0x2000 : 0) | (offset / 8);
    return ipPacket({ ...path, protocol: 17, fragment, identification: 9, payload: part });
  });
}

test('read counts a datagram that came in fragments once, and leaves their headers', async (t) => {
  const path = join(temporaryDirectory(t), 'fragments.pcapng');
  const file = await CaptureFile.create(path);
  file.write({ type: 'section', format: 'pcapng', littleEndian: true });
  file.write({ type: 'interface', id: 0, linkType: linkType.raw, snapLength: 262_144 });
  for (const buffer of [...fragments(v4), ...fragments(v6)]) {
    file.write(new PacketItem({ buffer, seconds: 1, nanoseconds: 0, linkType: linkType.raw }));
  }
  await file.close();
  const { stdout, status } = await run(t, ['read', path, '--json', '--conversations']);
  assert.equal(status, 0);
  const objects = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, never>);
  const packets = objects.filter(({ type }) => type === 'packet');
  assert.deepEqual(
    packets.map(({ protocols }) => String(protocols)),
    [
      'raw,ip,udp,data',
      'raw,ip,data',
      'raw,ip,data',
      'raw,ipv6,ipv6.fraghdr,udp,data',
      'raw,ipv6,ipv6.fraghdr,data',
      'raw,ipv6,ipv6.fraghdr,data',
    ],
  );
  const conversations = objects.filter(({ type }) => type === 'conversation');
  assert.equal(conversations.length, 2);
  for (const { sides } of conversations) {
    assert.deepEqual(sides, {
      client: { packets: 1, bytes: 2500 },
      server: { packets: 0, bytes: 0 },
    });
  }
});
