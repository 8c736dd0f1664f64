import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { CMSG_LEN, CMSG_SPACE, decodeAncillary, encodeAncillary } from './ancillary.ts';
import { needs, PythonPeer } from '../testing/index.ts';

test(
  'CMSG_LEN() and CMSG_SPACE() agree with Python for every size that matters',
  await needs('python3'),
  async () => {
    const sizes = [...Array(70).keys(), 255, 256, 1012, 65_536, 0x7fffffef - 8];
    await using peer = new PythonPeer(
      'say([[socket.CMSG_LEN(n), socket.CMSG_SPACE(n)] for n in args[0]])',
      sizes,
    );
    assert.deepEqual(
      sizes.map((size) => [CMSG_LEN(size), CMSG_SPACE(size)]),
      await peer.hear(),
    );
  },
);

test('CMSG_LEN() and CMSG_SPACE() refuse what does not fit an int', () => {
  for (const size of [-1, 0x7fffffff, 0x80000000, Infinity]) {
    assert.throws(() => CMSG_LEN(size), RangeError);
    assert.throws(() => CMSG_SPACE(size), RangeError);
  }
  assert.throws(() => CMSG_LEN('4' as unknown as number), TypeError);
});

const message = fc
  .tuple(fc.integer(), fc.integer(), fc.uint8Array({ maxLength: 80 }))
  .map(([level, type, bytes]) => ({ level, type, data: Buffer.from(bytes) }));

test('decodeAncillary() gives back what encodeAncillary() wrote', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 6 }), (messages) => {
      const control = encodeAncillary(messages) as Buffer;
      assert.deepEqual(decodeAncillary(control, control.length), messages);
    }),
  );
});

test('decodeAncillary() of control data cut anywhere gives what came and never throws', () => {
  fc.assert(
    fc.property(fc.array(message, { minLength: 1, maxLength: 3 }), fc.nat(300), (messages, cut) => {
      const control = encodeAncillary(messages) as Buffer;
      const length = Math.min(cut, control.length);
      const got = decodeAncillary(control, length);
      got.forEach(({ level, type, data }, i) => {
        const sent = messages[i];
        assert.deepEqual([level, type], [sent?.level, sent?.type]);
        assert.deepEqual(data, sent?.data.subarray(0, data.length));
      });
    }),
  );
});

test('decodeAncillary() of arbitrary bytes ends', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      assert.ok(decodeAncillary(Buffer.from(bytes), bytes.length).length <= 13);
    }),
  );
});
