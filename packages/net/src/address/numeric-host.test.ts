import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AF_INET, AF_INET6, AF_RDS, AF_UNIX } from '../constants/index.ts';
import { isNumericHost } from './numeric-host.ts';

test('isNumericHost(AF_INET) knows dotted quads, any and broadcast', () => {
  for (const host of ['', '<broadcast>', '0.0.0.0', '127.0.0.1', '255.255.255.255']) {
    assert.equal(isNumericHost(AF_INET, host), true, host);
    assert.equal(isNumericHost(AF_RDS, host), true, host);
  }
  for (const host of ['localhost', '127.1', '0x7f.0.0.1', '1.2.3.4 ', '::1', '<any>', '1.2.3.04']) {
    assert.equal(isNumericHost(AF_INET, host), false, host);
  }
});

test('isNumericHost(AF_INET6) knows IPv6 addresses, with a zone too', () => {
  for (const host of ['', '::', '::1', 'fe80::1%eth0', 'fe80::1%2', '::ffff:1.2.3.4']) {
    assert.equal(isNumericHost(AF_INET6, host), true, host);
  }
  for (const host of ['localhost', '127.0.0.1', '<broadcast>', '%eth0', '[::1]', '1:2']) {
    assert.equal(isNumericHost(AF_INET6, host), false, host);
  }
});

test('isNumericHost() is false for a family without hosts', () => {
  assert.equal(isNumericHost(AF_UNIX, ''), false);
});
