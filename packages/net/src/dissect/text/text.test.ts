import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ipv4Text, ipv6Text, macText } from './address-text.ts';
import { displayWidth, fitText } from './display-width.ts';
import { escapeText } from './escape-text.ts';
import { parseIpAddress, parseMacAddress } from './parse-address.ts';

// RFC 5952 4 and RFC 4291 2.2.
const addresses: readonly (readonly [written: string, text: string])[] = [
  ['192.0.2.33', '192.0.2.33'],
  ['::', '::'],
  ['::1', '::1'],
  ['1::', '1::'],
  ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
  ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
  ['FE80::ABCD', 'fe80::abcd'],
  ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
  ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
];

for (const [written, expected] of addresses) {
  test(`parseIpAddress() and the address texts agree on ${written}`, () => {
    const bytes = parseIpAddress(written);
    assert.ok(bytes !== undefined);
    // Twice: the second comes from the cache.
    for (let time = 0; time < 2; time++) {
      assert.equal(bytes.length === 4 ? ipv4Text(bytes, 0) : ipv6Text(bytes, 0), expected);
    }
  });
}

test('parseIpAddress() refuses what is no address', () => {
  const wrong = [
    '',
    '1.2.3',
    '1.2.3.256',
    '1.2.3.4.5',
    '127.1',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7:8:9',
    '12345::',
    '::1%lo',
    '1:2:3:4:5:6:7',
    '::1.2.3',
    'g::',
    '1:2:3:4:5:6:7:8::',
  ];
  for (const text of wrong) assert.equal(parseIpAddress(text), undefined, text);
});

test('ipv6Text() and macText() tell addresses apart that share a cache slot', () => {
  const seen = new Set<string>();
  for (let index = 0; index < 5000; index++) {
    const bytes = new Uint8Array(16);
    new DataView(bytes.buffer).setUint32(12, Math.imul(index, 0x9e3779b1));
    new DataView(bytes.buffer).setUint16(0, index);
    seen.add(ipv6Text(bytes, 0)).add(macText(bytes, 0) + index);
    assert.deepEqual(parseIpAddress(ipv6Text(bytes, 0)), bytes);
    assert.deepEqual(parseMacAddress(macText(bytes, 10)), bytes.subarray(10, 16));
  }
  assert.equal(seen.size, 10_000);
});

test('escapeText() leaves no character that acts on a terminal or turns the line round', () => {
  assert.equal(
    escapeText('a\tb\r\n\u001b]0;x\u0007\u009b1m\u007f'),
    'a\\x09b\\x0d\\x0a\\x1b]0;x\\x07\\x9b1m\\x7f',
  );
  assert.equal(
    escapeText('\u202eevil\u2066\u200d\ufeff\u{e0041}'),
    '\\u{202e}evil\\u{2066}\\u{200d}\\u{feff}\\u{e0041}',
  );
  assert.equal(escapeText('\ud800x'), '\\u{d800}x');
  assert.equal(escapeText('C:\\x1b'), 'C:\\\\x1b');
  assert.equal(escapeText('你好, Grüße 🎉'), '你好, Grüße 🎉');
});

test('displayWidth() counts two columns for Chinese, Korean and emoji and none for combining marks', () => {
  assert.equal(displayWidth('abc'), 3);
  assert.equal(displayWidth('你好'), 4);
  assert.equal(displayWidth('한글！'), 6);
  assert.equal(displayWidth('e\u0301'), 1);
  assert.equal(displayWidth('🎉'), 2);
});

test('fitText() never exceeds the columns and never halves a character', () => {
  const text = 'a你b好🎉e\u0301c';
  for (let columns = 0; columns <= displayWidth(text); columns++) {
    const fitted = fitText(text, columns);
    assert.ok(displayWidth(fitted) <= columns);
    assert.ok(text.startsWith(fitted.replace('…', '')));
  }
  assert.equal(fitText(text, displayWidth(text)), text);
});
