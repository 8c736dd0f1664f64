import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import { promisify } from 'node:util';
import type { InetAddress } from '../address/index.ts';
import { createConnection } from '../socket/index.ts';
import { needs, PythonPeer } from '../testing/index.ts';
import { ConnectionTimeoutError } from './connection-timeout-error.ts';
import { proxyHeader, ProxyProtocolError } from './proxy-protocol.ts';
import { serve } from './serve.ts';
import type { Server } from './server.ts';

const SIGNATURE = '0d0a0d0a000d0a515549540a';

function start(trusted: string[] = ['127.0.0.1']): Promise<Server> {
  return serve(
    { host: '127.0.0.1', port: 0 },
    async (connection, address) => {
      const text = await connection.recv();
      const { host, port } = address as InetAddress;
      await connection.sendall(Buffer.from(`${host} ${port} ${text.toString()}`));
    },
    { drainTimeoutMs: 50, proxyProtocol: { trusted } },
  );
}

// Headers as the specification's examples and sections 2.1 and 2.2 lay them out, by hand.
const good: [name: string, header: Buffer, seen: string][] = [
  ['v1 TCP4', Buffer.from('PROXY TCP4 192.0.2.7 192.0.2.8 56324 443\r\n'), '192.0.2.7 56324'],
  ['v1 TCP6', Buffer.from('PROXY TCP6 2001:db8::7 2001:db8::8 1 2\r\n'), '2001:db8::7 1'],
  [
    'v2 TCP4 with a TLV behind the addresses',
    Buffer.from(`${SIGNATURE}21110010c0000207c0000208dc0401bb04000161`, 'hex'),
    '192.0.2.7 56324',
  ],
  [
    'v2 TCP6',
    Buffer.from(
      `${SIGNATURE}2121002420010db800000000000000000000000720010db800000000000000000000000800010002`,
      'hex',
    ),
    '2001:db8::7 1',
  ],
];

for (const [name, header, seen] of good) {
  test(`the handler sees whom a ${name} header names, however it is cut`, async () => {
    await using server = await start();
    for (const isCut of [false, true]) {
      const client = await createConnection(server.address as InetAddress);
      client.setsockopt(6, 1, true);
      const pieces = isCut ? [...header].map((byte) => Buffer.of(byte)) : [header];
      for (const piece of pieces) await client.sendall(piece);
      await client.sendall(Buffer.from('body'));
      assert.equal(String(await client.recv(100)), `${seen} body`);
      client.close();
    }
  });
}

for (const [name, header] of [
  ['v1 UNKNOWN', Buffer.from('PROXY UNKNOWN\r\n')],
  ['v2 LOCAL', Buffer.from(`${SIGNATURE}20000000`, 'hex')],
  ['v2 of an unknown family', Buffer.from(`${SIGNATURE}21310000`, 'hex')],
] as const) {
  test(`a ${name} header leaves the peer's own address`, async () => {
    await using server = await start();
    const client = await createConnection(server.address as InetAddress);
    const { host, port } = client.getsockname();
    await client.sendall(Buffer.concat([header, Buffer.from('body')]));
    assert.equal(String(await client.recv(100)), `${host} ${port} body`);
    client.close();
  });
}

const bad: [name: string, bytes: Buffer, message: RegExp][] = [
  ['no header', Buffer.from('GET / HTTP/1.1\r\n'), /expected "PROXY "/],
  ['a line without an end', Buffer.from(`PROXY TCP4 ${'1'.repeat(200)}`), /within 107 bytes/],
  ['a wrong address', Buffer.from('PROXY TCP4 1.2.3 4.5.6.7 1 2\r\n'), /address "1.2.3"/],
  ['a wrong port', Buffer.from('PROXY TCP4 1.2.3.4 4.5.6.7 65536 2\r\n'), /port 65536/],
  ['version 3', Buffer.from(`${SIGNATURE}31110000`, 'hex'), /version is not 2/],
  ['a length too large', Buffer.from(`${SIGNATURE}2111ffff`, 'hex'), /65535 exceeds 4096/],
  ['short addresses', Buffer.from(`${SIGNATURE}21110004c0000207`, 'hex'), /4 address bytes/],
  ['an end inside', Buffer.from('PROXY '), /ended after 6 bytes/],
];

for (const [name, bytes, message] of bad) {
  test(`${name} where a PROXY header is due ends the connection before the handler`, async () => {
    await using server = await start();
    const failed = once(server, 'disconnect');
    const client = await createConnection(server.address as InetAddress);
    await client.sendall(bytes);
    client.shutdown(1);
    const [error] = (await failed) as [Error];
    assert.ok(error instanceof ProxyProtocolError);
    assert.match(error.message, message);
    assert.equal(server.counters.handshakeErrors, 1);
    client.close();
  });
}

test('a peer that is not trusted has its header taken for data', async () => {
  await using server = await start(['192.0.2.1']);
  const client = await createConnection(server.address as InetAddress);
  await client.sendall(Buffer.from('PROXY TCP4 9.9.9.9 8.8.8.8 1 2\r\n'));
  assert.match(String(await client.recv(100)), /^127\.0\.0\.1 \d+ PROXY TCP4/);
  client.close();
});

test(
  "curl's header is read, and only the request behind it is data",
  await needs('curl'),
  async () => {
    await using server = await start();
    const { host, port } = server.address as InetAddress;
    const flags = ['--silent', '--noproxy', '*', '--http0.9', '--haproxy-protocol'];
    const { stdout } = await promisify(execFile)('curl', [...flags, `http://${host}:${port}/`]);
    assert.match(stdout, /^127\.0\.0\.1 \d+ GET \/ HTTP\/1\.1\r\n/);
  },
);

test('proxyHeader() writes what Python reads by the specification, and what the server reads', async () => {
  const addresses = [
    [
      { host: '192.0.2.7', port: 56324 },
      { host: '192.0.2.8', port: 443 },
    ],
    [
      { host: '2001:db8::7', port: 1 },
      { host: '2001:db8::8', port: 2 },
    ],
  ] as const;
  const headers = addresses.flatMap(([from, to]) => [
    proxyHeader(1, from, to),
    proxyHeader(2, from, to),
  ]);
  await using peer = new PythonPeer(
    `
    def parse(data):
        if data.startswith(b'PROXY '):
            _, family, source, target, source_port, target_port = data.decode().split()
            return [source, int(source_port), target, int(target_port)]
        assert data[:12] == b'\\r\\n\\r\\n\\0\\r\\nQUIT\\n' and data[12] == 0x21
        length = struct.unpack('!H', data[14:16])[0]
        assert len(data) == 16 + length
        family, size = {0x11: (socket.AF_INET, 4), 0x21: (socket.AF_INET6, 16)}[data[13]]
        ports = struct.unpack('!HH', data[16 + 2 * size:])
        name = lambda at: socket.inet_ntop(family, data[at:at + size])
        return [name(16), ports[0], name(16 + size), ports[1]]
    say([parse(bytes.fromhex(text)) for text in args[0]])
    `,
    headers.map((header) => header.toString('hex')),
  );
  const expected = addresses.flatMap(([from, to]) => {
    const fields = [from.host, from.port, to.host, to.port];
    return [fields, fields];
  });
  assert.deepEqual(await peer.hear(), expected);
  await using server = await start();
  for (const header of headers) {
    const client = await createConnection(server.address as InetAddress);
    await client.sendall(Buffer.concat([header, Buffer.from('x')]));
    assert.match(String(await client.recv(100)), /^(192\.0\.2\.7 56324|2001:db8::7 1) x$/);
    client.close();
  }
  assert.equal(String(proxyHeader(1, null, null)), 'PROXY UNKNOWN\r\n');
  assert.equal(proxyHeader(2, null, null).toString('hex'), `${SIGNATURE}20000000`);
});

for (const part of ['', 'PROXY TCP4 192.0.2.7 ']) {
  test(`a trusted peer that sends ${JSON.stringify(part)} has its time for the header, where clients have none`, async () => {
    const none = { firstByteTimeoutMs: Infinity, idleTimeoutMs: Infinity };
    const proxyProtocol = { trusted: ['127.0.0.1'], timeoutMs: 100 };
    await using server = await serve({ host: '127.0.0.1', port: 0 }, () => undefined, {
      ...none,
      proxyProtocol,
    });
    const gone = once(server, 'disconnect');
    const client = await createConnection(server.address as InetAddress);
    await client.sendall(Buffer.from(part));
    assert.equal((await client.recv(1)).length, 0);
    const [error] = (await gone) as [Error];
    assert.ok(error instanceof ConnectionTimeoutError);
    assert.match(error.message, /proxy header deadline of 100 ms/);
    assert.equal(server.counters.timeouts['proxy header'], 1);
    client.close();
  });
}
