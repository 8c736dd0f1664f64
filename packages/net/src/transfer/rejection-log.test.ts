import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RejectionLog } from './rejection-log.ts';

test('RejectionLog tells of a few one by one and of a flood as a sum, once a minute', (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const told: [string, string, (number | undefined)?][] = [];
  const log = new RejectionLog((...words) => told.push(words));
  for (let i = 0; i < 1000; i++) log.add(`192.0.2.1:${i}`, `Cannot pair with 192.0.2.1:${i}: no`);
  log.add('[2001:db8::1]:9', 'no');
  assert.equal(told.length, 17);
  assert.deepEqual(told[15], ['192.0.2.1:15', 'Cannot pair with 192.0.2.1:15: no']);
  t.mock.timers.tick(60_000);
  const sum = '984 more within a minute, the last: Cannot pair with 192.0.2.1: no';
  assert.deepEqual(told.slice(17), [['192.0.2.1', sum, 984]]);
  log.add('192.0.2.1:1', 'no');
  assert.deepEqual(told.at(-1), ['192.0.2.1:1', 'no']);
  log.flush();
  assert.equal(told.length, 19);
});

test('RejectionLog keeps few hosts in mind, and sums up the others', () => {
  const told: [string, string, (number | undefined)?][] = [];
  const log = new RejectionLog((...words) => told.push(words));
  for (let i = 0; i < 10_000; i++) log.add(`[2001:db8::${i.toString(16)}]:1`, 'no');
  assert.ok(told.length < 100, `${told.length}`);
  log.flush();
  assert.match(told.at(-1)?.join(' ') ?? '', /^other hosts 99\d\d more within a minute/);
});
