import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Randomness } from '../mutate.test.util.ts';
import { crc32c } from './crc32c.ts';
import { foldSum, internetChecksum, internetSum } from './internet-checksum.ts';

test('internetSum() gives the sum of RFC 1071’s example', () => {
  assert.equal(
    internetSum(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7), 0, 8),
    0xddf2,
  );
});

test('internetSum() agrees with adding word by word, for every length and start', () => {
  const random = new Randomness(3);
  const bytes = Uint8Array.from({ length: 200 }, () => random.below(256));
  for (let start = 0; start < 20; start++) {
    for (let end = start; end <= bytes.length; end++) {
      let sum = 0x12345;
      for (let at = start; at < end; at += 2)
        sum += (bytes[at]! << 8) | (at + 1 < end ? bytes[at + 1]! : 0);
      assert.equal(internetSum(bytes, start, end, 0x12345), foldSum(sum));
    }
  }
});

test('internetChecksum() put into its field makes the sum 0xffff', () => {
  const bytes = Uint8Array.from({ length: 33 }, (_, index) => index * 5);
  bytes.set([0, 0], 4);
  const checksum = internetChecksum(bytes, 0, bytes.length);
  bytes.set([checksum >> 8, checksum & 0xff], 4);
  assert.equal(internetSum(bytes, 0, bytes.length), 0xffff);
});

test('crc32c() gives the check value of its catalogue and the sums of RFC 3720 B.4', () => {
  const digits = new TextEncoder().encode('123456789');
  assert.equal(crc32c(digits, 0, digits.length), 0xe3069283);
  assert.equal(crc32c(new Uint8Array(32), 0, 32), 0x8a9136aa);
  assert.equal(crc32c(new Uint8Array(32).fill(255), 0, 32), 0x62a8ab43);
  const hole = new Uint8Array(32);
  hole.set([1, 2, 3, 4], 8);
  assert.equal(crc32c(hole, 0, 32, 8), 0x8a9136aa);
});
