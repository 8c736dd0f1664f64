import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AddressList } from './address-list.ts';

test('AddressList.has() knows single addresses, networks and IPv4 in IPv6 form', () => {
  const list = new AddressList(['192.0.2.1', '10.0.0.0/8', 'fe80::/10', '::1']);
  const has = (host: string): boolean => list.has({ host, port: 1 });
  for (const host of ['192.0.2.1', '10.255.0.1', 'fe80::1', 'febf::1', '::1', '::ffff:10.0.0.1']) {
    assert.ok(has(host), host);
  }
  for (const host of ['192.0.2.2', '11.0.0.1', 'fec0::1', '::2', '::ffff:11.0.0.1']) {
    assert.ok(!has(host), host);
  }
  assert.ok(!list.has(null));
  assert.ok(!list.has({ path: '/run/10.0.0.1' }));
});

for (const entry of [
  '',
  'localhost',
  '10.0.0',
  '10.0.0.0/33',
  '::/129',
  '10.0.0.0/',
  '10.0.0.0/8/8',
  '10.0.0.0/-1',
]) {
  test(`AddressList refuses ${JSON.stringify(entry)}`, () => {
    assert.throws(() => new AddressList([entry], 'allow'), /allow/);
  });
}

test('AddressList refuses what is no list of strings', () => {
  for (const wrong of [undefined, '10.0.0.1', [1], [undefined]]) {
    assert.throws(
      () => new AddressList(wrong as unknown as string[], 'deny'),
      /Cannot use deny: .* a list/,
    );
  }
});
