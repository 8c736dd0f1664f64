import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EchoMessages, readEchoHeader } from './echo-message.ts';
import { icmpErrorText } from './icmp-error-text.ts';
import { internetChecksum } from './internet-checksum.ts';
import { PingStatistics } from './ping-statistics.ts';

test('internetChecksum() gives the example of RFC 1071, section 3', () => {
  // The sum there is ddf2, whose complement is the checksum.
  assert.equal(internetChecksum(Buffer.from('0001f203f4f5f6f7', 'hex')), 0x220d);
});

test('internetChecksum() over a request with its checksum is 0, for every size', () => {
  fc.assert(
    fc.property(fc.nat({ max: 3000 }), fc.nat({ max: 0xffff }), fc.nat(), (size, id, sequence) => {
      const request = new EchoMessages(4, id, size).request(sequence);
      assert.equal(internetChecksum(request), 0);
      assert.equal(request.length, size + 8);
      assert.deepEqual(readEchoHeader(request), {
        type: 8,
        identifier: id,
        sequence: sequence & 0xffff,
      });
    }),
  );
});

test('EchoMessages tells its own replies from those to another run with the same identifier', () => {
  const ours = new EchoMessages(4, 7, 56);
  const theirs = new EchoMessages(4, 7, 56).request(1);
  const reply = Buffer.from(ours.request(1));
  reply[0] = 0;
  assert.equal(ours.isReply(readEchoHeader(reply)), true);
  assert.equal(ours.isReply(readEchoHeader(ours.request(1))), false);
  assert.equal(ours.hasToken(reply), true);
  assert.equal(ours.hasToken(theirs), false);
  reply[reply.length - 1] = 0;
  assert.equal(ours.hasToken(reply), true);
  assert.equal(ours.hasData(reply), false);
});

test('readEchoHeader() is undefined for what is too short', () => {
  assert.equal(readEchoHeader(Buffer.alloc(7)), undefined);
});

test('PingStatistics gives the mean and the standard deviation of large times exactly', () => {
  const statistics = new PingStatistics();
  for (const ms of [1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16]) statistics.addRoundTrip(ms);
  assert.deepEqual(statistics.roundTrips, {
    minMs: 1e9 + 4,
    avgMs: 1e9 + 10,
    maxMs: 1e9 + 16,
    mdevMs: Math.sqrt(22.5),
  });
});

const TEXTS: readonly [4 | 6, number, number, number, string][] = [
  [4, 3, 3, 0, 'Destination Port Unreachable'],
  [4, 3, 4, 1400, 'Frag needed and DF set (mtu = 1400)'],
  [4, 3, 13, 0, 'Packet filtered'],
  [4, 3, 99, 0, 'Destination Unreachable, Bad Code: 99'],
  [4, 11, 1, 0, 'Frag reassembly time exceeded'],
  [4, 12, 0, 5, 'Parameter problem: pointer = 5'],
  [6, 1, 3, 0, 'Destination unreachable: Address unreachable'],
  [6, 2, 0, 1280, 'Packet too big: mtu=1280'],
  [6, 3, 1, 0, 'Time exceeded: Defragmentation failure'],
  [6, 4, 1, 40, 'Parameter problem: Unknown header at 40'],
];

for (const [version, type, code, info, text] of TEXTS) {
  test(`icmpErrorText() of IPv${version} type ${type} code ${code} is ${text}`, () => {
    const error = { errno: 113, origin: version === 4 ? 2 : 3, type, code, info, offender: '::' };
    assert.equal(icmpErrorText(error, version), text);
  });
}
