import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { VMADDR_CID_ANY } from '@sockeye/net';
import type { Endpoint } from './address.ts';
import { AddressSyntaxError } from './address-syntax-error.ts';
import { formatAddress, formatEndpoint } from './format-address.ts';
import { parseAddress } from './parse-address.ts';

const RIGHT: readonly [string, Endpoint][] = [
  ['127.0.0.1:8090', { transport: 'tcp', host: '127.0.0.1', port: 8090 }],
  ['localhost:0', { transport: 'tcp', host: 'localhost', port: 0 }],
  ['a-b.example.com.:65535', { transport: 'tcp', host: 'a-b.example.com.', port: 65535 }],
  ['例子.测试:80', { transport: 'tcp', host: '例子.测试', port: 80 }],
  [':8090', { transport: 'tcp', host: '', port: 8090 }],
  ['[::1]:8090', { transport: 'tcp', host: '::1', port: 8090 }],
  ['[fe80::1%eth0]:1', { transport: 'tcp', host: 'fe80::1%eth0', port: 1 }],
  ['tcp://[::ffff:1.2.3.4]:1', { transport: 'tcp', host: '::ffff:1.2.3.4', port: 1 }],
  ['TCP://host:1', { transport: 'tcp', host: 'host', port: 1 }],
  ['udp://:53', { transport: 'udp', host: '', port: 53 }],
  ['tls://example.com:443', { transport: 'tls', host: 'example.com', port: 443 }],
  ['unix:///run/a b:c.sock', { transport: 'unix', path: '/run/a b:c.sock' }],
  ['unix-dgram:///run/s', { transport: 'unix-dgram', path: '/run/s' }],
  ['unix-seqpacket:///run/s', { transport: 'unix-seqpacket', path: '/run/s' }],
  ['unix:@name', { transport: 'unix', path: '\0name' }],
  ['unix-dgram:@@', { transport: 'unix-dgram', path: '\0@' }],
  [`unix:///${'x'.repeat(106)}`, { transport: 'unix', path: `/${'x'.repeat(106)}` }],
  ['vsock://2:8090', { transport: 'vsock', cid: 2, port: 8090 }],
  ['vsock://:4294967295', { transport: 'vsock', cid: undefined, port: 0xffff_ffff }],
];

for (const [text, endpoint] of RIGHT) {
  test(`parseAddress() reads ${text.slice(0, 40)}`, () => {
    assert.deepEqual(parseAddress(text), endpoint);
  });
}

test('formatAddress() names every address of this machine as it is typed', () => {
  const bound = { cid: VMADDR_CID_ANY as number, port: 5000 };
  assert.equal(formatAddress('vsock', bound), 'vsock://:5000');
});

/** Each with the part that is wrong and a word of the form that was expected. */
const WRONG: readonly [string, RegExp][] = [
  ['', /"": it is empty; expected host:port/],
  ['8090', /has no host; expected .*127\.0\.0\.1:8090.* :8090/],
  ['99999', /has no host; expected .*127\.0\.0\.1:8090/],
  ['localhost', /has no port; expected host:port/],
  ['localhost:', /the port is empty/],
  ['localhost:http', /the port "http" is no number/],
  ['localhost:80/path', /the port "80\/path" is no number/],
  ['localhost:-1', /the port "-1" is no number/],
  ['localhost:65536', /the port "65536" is above 65535/],
  ['localhost:9'.padEnd(400, '9'), /the port "9{59}…" is above 65535/],
  ['::1:80', /no brackets; expected .*\[::1\]:8090/],
  ['::1', /no brackets/],
  ['a:b:1', /more than one colon/],
  ['[::1]', /no port after the bracket/],
  ['[::1]80', /no port after the bracket/],
  ['[::1', /the bracket is not closed/],
  ['[127.0.0.1]:80', /"127\.0\.0\.1" is no IPv6 address/],
  ['[::g]:80', /"::g" is no IPv6 address/],
  ['1.2.3:80', /"1\.2\.3" is no IPv4 address/],
  ['256.0.0.1:80', /"256\.0\.0\.1" is no IPv4 address/],
  ['a..b:80', /an empty label/],
  ['.:80', /no IPv4 address/],
  ['-a b-:80', /the host has " "/],
  ['user@host:80', /the host has "@"/],
  [`${'a'.repeat(64)}:80`, /longer than 63/],
  [`${'a.'.repeat(127)}a:80`, /255 characters, above 253/],
  ['a\x1b[2J\n:80', /the host has "\\x1b"/],
  ['\ud800:80', /the host has/],
  ['http://example.com', /"http" is no kind of socket; expected tcp, udp, .* or vsock/],
  ['tcp:@name', /expected tcp:\/\/host:port/],
  ['tcp://', /has no port/],
  ['udp://host', /has no port/],
  ['unix:/tmp/x.sock', /it has no \/\/; expected "unix:\/\/\/tmp\/x\.sock"$/],
  ['tcp:127.0.0.1:8090', /it has no \/\/; expected "tcp:\/\/127\.0\.0\.1:8090"$/],
  ['127.0.0.1：8090', /its colon is the full-width ：; expected host:port/],
  ['8090', /or :8090 \(a server's every interface, a client's own machine\)/],
  ['unix:name', /not absolute; expected unix:\/\/\/path or unix:@name/],
  ['unix://name', /the path "name" is not absolute; expected .*unix:\/\/\//],
  ['unix://', /the path is empty/],
  ['unix:@', /the name is empty; expected unix:@name/],
  ['unix:///a\0b', /the path has a NUL byte/],
  ['unix:///\udfff', /not valid Unicode/],
  [`unix:///${'x'.repeat(107)}`, /too long \(108 bytes\); expected at most 107/],
  [`unix:@${'名'.repeat(36)}`, /too long \(108 bytes\)/],
  ['/run/app.sock', /it is a path; expected unix:\/\/\/path/],
  ['./app.sock', /it is a path/],
  ['vsock://2', /not two parts; expected vsock:\/\/cid:port/],
  ['vsock://2:3:4', /not two parts/],
  ['vsock://a:1', /the cid "a" is no number/],
  ['vsock://1:4294967296', /the port "4294967296" is no number up to 4294967295/],
  ['vsock:@1', /expected vsock:\/\//],
];

for (const [text, message] of WRONG) {
  test(`parseAddress() refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.throws(() => parseAddress(text), { name: 'AddressSyntaxError', text, message });
  });
}

const hostile = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme' }),
  // Pieces of the grammar in any order get further into it than random text does.
  fc
    .array(
      fc.constantFrom(
        'tcp',
        'udp',
        'tls',
        'unix',
        'unix-dgram',
        'vsock',
        '://',
        ':',
        '/',
        '@',
        '[',
        ']',
        '::1',
        '127.0.0.1',
        '.',
        '-',
        '%',
        '0',
        '80',
        '65536',
        '\0',
        '\ud800',
        '名',
        '\n',
      ),
      { maxLength: 12 },
    )
    .map((parts) => parts.join('')),
);

test('parseAddress() gives an endpoint or throws an AddressSyntaxError, on one line, for any text', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      try {
        parseAddress(text);
      } catch (error) {
        assert.ok(error instanceof AddressSyntaxError);
        // oxlint-disable-next-line no-control-regex -- what must not reach a terminal
        assert.doesNotMatch(error.message, /[\0-\x1f\x7f-\x9f\ud800-\udfff]/u);
        assert.ok(error.message.length < 400, error.message);
      }
    }),
    { numRuns: 20_000 },
  );
});

test('formatEndpoint() writes what parseAddress() reads as the same endpoint', () => {
  fc.assert(
    fc.property(hostile, (text) => {
      let endpoint: Endpoint;
      try {
        endpoint = parseAddress(text);
      } catch {
        return;
      }
      const written = formatEndpoint(endpoint);
      // An escaped character doesn't read back; it is for people.
      if (!written.includes('\\')) assert.deepEqual(parseAddress(written), endpoint);
    }),
    { numRuns: 20_000 },
  );
});
