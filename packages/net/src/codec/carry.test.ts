import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Carry } from './carry.ts';

test('append() keeps at most twice what was received, and never more than the frame needs', () => {
  const source = Buffer.alloc(1, 'x');
  for (const limit of [0, 100, 1000, 5000]) {
    const carry = new Carry();
    for (let received = 1; received <= (limit || 5000); received++) {
      carry.append(source, { from: 0, to: 1, limit });
      const most = Math.max(64, 2 * received);
      assert.ok(
        carry.bytes.length <= (limit === 0 ? most : Math.min(limit, most)),
        `${received} of ${limit}`,
      );
    }
    assert.equal(carry.take().toString(), 'x'.repeat(limit || 5000));
  }
});

test('take() gives the bytes away', () => {
  const carry = new Carry();
  carry.append(Buffer.from('abc'), { from: 1, to: 3, limit: 0 });
  const taken = carry.take();
  assert.equal(carry.length, 0);
  carry.append(Buffer.from('!!'), { from: 0, to: 2, limit: 0 });
  assert.equal(String(taken), 'bc');
});
