import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addSerial, nextSerial, serialDistance } from './serial-number.ts';

test('serialDistance() counts across the wrap, as RFC 1982 has it', () => {
  const cases = [
    [0, 1, 1],
    [1, 0, -1],
    [0xffff_ffff, 0, 1],
    [0, 0xffff_ffff, -1],
    [0xffff_fff0, 0x10, 0x20],
    [0, 0x7fff_ffff, 0x7fff_ffff],
    [0, 0x8000_0000, -0x8000_0000],
  ] as const;
  for (const [from, to, distance] of cases) assert.equal(serialDistance(from, to), distance);
});

test('nextSerial() and addSerial() wrap at 32 bits', () => {
  assert.equal(nextSerial(0xffff_ffff), 0);
  assert.equal(addSerial(0, -1), 0xffff_ffff);
  assert.equal(addSerial(0xffff_fffe, 5), 3);
});
