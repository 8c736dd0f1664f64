import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { failure } from '../check-codec.test.util.ts';
import { decodeSequenced, encodeSequenced } from './sequenced-packet.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

test('encodeSequenced() lays out data and acknowledgements as drawn', () => {
  const payload = Buffer.from('hi');
  const data = {
    type: 'data',
    stream: 0x01020304,
    sequence: 0xfffffffe,
    acknowledge: true,
    payload,
  } as const;
  assert.deepEqual(encodeSequenced(data), hex('534b 10 01 01020304 fffffffe 6869'));
  assert.deepEqual(
    encodeSequenced({ ...data, acknowledge: false }),
    hex('534b 10 00 01020304 fffffffe 6869'),
  );
  const ack = { type: 'ack', stream: 5, next: 6, selective: 0x8000_0001 } as const;
  assert.deepEqual(encodeSequenced(ack), hex('534b 11 00 00000005 00000006 80000001'));
});

test('decodeSequenced() gives back what encodeSequenced() was given, as a property', () => {
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const data = fc.record({
    type: fc.constant('data' as const),
    stream: u32,
    sequence: u32,
    acknowledge: fc.boolean(),
    payload: fc.uint8Array({ maxLength: 30 }).map((bytes) => Buffer.from(bytes)),
  });
  const ack = fc.record({
    type: fc.constant('ack' as const),
    stream: u32,
    next: u32,
    selective: u32,
  });
  fc.assert(
    fc.property(fc.oneof(data, ack), (packet) => {
      assert.deepEqual(decodeSequenced(encodeSequenced(packet)), { ...packet });
    }),
  );
});

const bad: [name: string, datagram: string, error: string][] = [
  [
    'an empty datagram',
    '',
    'ERR_FRAME_TRUNCATED: Cannot decode frame: a datagram of 0 bytes is shorter than its 12-byte header',
  ],
  [
    'half a header',
    '534b 10 01 01020304 ffffff',
    'ERR_FRAME_TRUNCATED: Cannot decode frame: a datagram of 11 bytes is shorter than its 12-byte header',
  ],
  [
    'another magic number',
    '534c 10 01 01020304 00000000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: a datagram is no sequenced packet',
  ],
  [
    'another version',
    '534b 20 01 01020304 00000000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: version 2, known is 1',
  ],
  [
    'another type',
    '534b 12 00 01020304 00000000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: type 2, known are 0 and 1',
  ],
  [
    'reserved flags',
    '534b 10 02 01020304 00000000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: reserved flags 2 are set',
  ],
  [
    'flags of an acknowledgement',
    '534b 11 01 00000000 00000000 00000000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: reserved flags 1 are set',
  ],
  [
    'a short acknowledgement',
    '534b 11 00 00000000 00000000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: an acknowledgement has 12 bytes, not 16',
  ],
];

for (const [name, datagram, error] of bad) {
  test(`decodeSequenced() refuses ${name}`, () => {
    assert.equal(
      failure(() => decodeSequenced(hex(datagram))),
      error,
    );
  });
}

test('decodeSequenced() throws ProtocolErrors only, whatever comes', () => {
  const start = fc.constantFrom('', '534b', '534b10', '534b11', '534b1000', '534b1100');
  fc.assert(
    fc.property(start, fc.uint8Array({ maxLength: 40 }), (head, tail) => {
      // failure() throws on any other error.
      failure(() => decodeSequenced(Buffer.concat([hex(head), tail])));
    }),
    { numRuns: 2000 },
  );
});
