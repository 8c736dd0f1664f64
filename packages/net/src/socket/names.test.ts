import assert from 'node:assert/strict';
import { hostname } from 'node:os';
import { test } from 'node:test';
import {
  AF_INET,
  AF_INET6,
  AI_CANONNAME,
  AI_NUMERICHOST,
  AI_PASSIVE,
  NI_NUMERICHOST,
  NI_NUMERICSERV,
  SOCK_DGRAM,
  SOCK_STREAM,
} from '../constants/index.ts';
import { needs, PythonPeer, rejection } from '../testing/index.ts';
import {
  getaddrinfo,
  getaddrinfoSync,
  getfqdn,
  getfqdnSync,
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbynameEx,
  gethostbynameExSync,
  gethostbynameSync,
  gethostname,
  getnameinfo,
  getnameinfoSync,
  getprotobyname,
  getservbyname,
  getservbyport,
} from './names.ts';

const python = await needs('python3');

/** What Python's socket module answers to an expression. */
async function inPython<Value>(expression: string): Promise<Value> {
  await using peer = new PythonPeer(`say(${expression})`);
  return await peer.hear<Value>();
}

test('getaddrinfo() gives what Python gives', python, async () => {
  const expected = await inPython<[number, number, number, string, [string, number]][]>(
    'socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)',
  );
  const got = await getaddrinfo('localhost', 80, { type: SOCK_STREAM });
  assert.deepEqual(
    got.map(({ family, type, proto, canonname }) => [family, type, proto, canonname]),
    expected.map(([family, type, proto, canonname]) => [family, type, proto, canonname]),
  );
  assert.deepEqual(
    got.map(({ address }) => (address as { host: string }).host),
    expected.map(([, , , , [host]]) => host),
  );
  assert.deepEqual(getaddrinfoSync('localhost', 80, { type: SOCK_STREAM }), got);
});

test('getaddrinfo() takes service names, numbers and null, and every hint', async () => {
  const [http] = await getaddrinfo('127.0.0.1', 'http', { type: SOCK_STREAM });
  assert.deepEqual(http?.address, { host: '127.0.0.1', port: 80 });
  const passive = await getaddrinfo(null, 53, {
    flags: AI_PASSIVE,
    family: AF_INET,
    type: SOCK_DGRAM,
  });
  assert.deepEqual(
    passive.map(({ address, type }) => [address, type]),
    [[{ host: '0.0.0.0', port: 53 }, SOCK_DGRAM]],
  );
  const [named] = await getaddrinfo('127.0.0.1', null, { flags: AI_CANONNAME });
  assert.equal(named?.canonname, '127.0.0.1');
  const [scoped] = await getaddrinfo('fe80::1%lo', 7, { flags: AI_NUMERICHOST, type: SOCK_STREAM });
  assert.equal(scoped?.family, AF_INET6);
  assert.deepEqual(scoped?.address, { host: 'fe80::1', port: 7, flowinfo: 0, scopeId: 1 });
});

test('getaddrinfo() of what is no name rejects with the EAI_ code, before or from libc', async () => {
  const unknown = await rejection(getaddrinfo('no such host', null));
  assert.equal(unknown.name, 'AddressInfoError');
  assert.equal(unknown.code, 'EAI_NONAME');
  assert.throws(() => getaddrinfoSync('127.0.0.1', 'no-such-service'), { code: 'EAI_SERVICE' });
  assert.throws(() => getaddrinfoSync('a\0b', null), { code: 'EAI_NONAME' });
  for (const host of [7, {}]) assert.throws(() => getaddrinfoSync(host as never, null), TypeError);
  for (const port of [-1, 65_536]) assert.throws(() => getaddrinfoSync(null, port), RangeError);
});

test('getnameinfo() gives names, or numbers where they are asked for', async () => {
  const address = { host: '127.0.0.1', port: 22 };
  assert.deepEqual(await getnameinfo(address), { host: 'localhost', service: 'ssh' });
  assert.deepEqual(getnameinfoSync(address, NI_NUMERICHOST | NI_NUMERICSERV), {
    host: '127.0.0.1',
    service: '22',
  });
  const scoped = { host: 'fe80::1', port: 1, flowinfo: 0, scopeId: 1 };
  assert.equal((await getnameinfo(scoped, NI_NUMERICHOST)).host, 'fe80::1%lo');
  assert.equal((await rejection(getnameinfo({ host: 'localhost', port: 1 }))).code, 'EAI_NONAME');
  assert.throws(() => getnameinfoSync({ ...scoped, flowinfo: 0x100000 }), RangeError);
});

test('gethostbyname() and its kin agree with Python about localhost', python, async () => {
  assert.equal(
    await gethostbyname('localhost'),
    await inPython('socket.gethostbyname("localhost")'),
  );
  assert.equal(gethostbynameSync(''), '0.0.0.0');
  assert.equal(gethostbynameSync('<broadcast>'), '255.255.255.255');
  const entry = await gethostbynameEx('localhost');
  assert.deepEqual(
    [entry.hostname, entry.aliases, entry.addresses],
    await inPython('socket.gethostbyname_ex("localhost")'),
  );
  assert.deepEqual(gethostbynameExSync('localhost'), entry);
  const reverse = await gethostbyaddr('127.0.0.1');
  assert.deepEqual(
    [reverse.hostname, reverse.aliases, reverse.addresses],
    await inPython('socket.gethostbyaddr("127.0.0.1")'),
  );
  assert.deepEqual(gethostbyaddrSync('127.0.0.1'), reverse);
  assert.equal(await getfqdn('localhost'), await inPython('socket.getfqdn("localhost")'));
  assert.equal(getfqdnSync(), await inPython('socket.getfqdn()'));
});

test('gethostbyaddr() of an address without a name rejects with HostError', async () => {
  const error = await rejection(gethostbyaddr('192.0.2.1'));
  assert.ok(['HostError', 'AddressInfoError'].includes(error.name), error.name);
});

test('gethostname() is what the system says', () => {
  assert.equal(gethostname(), hostname());
});

test('getservbyname(), getservbyport() and getprotobyname() read the system tables', () => {
  assert.equal(getservbyname('ssh', 'tcp'), 22);
  assert.equal(getservbyport(22), 'ssh');
  assert.equal(getprotobyname('icmp'), 1);
  for (const call of [
    () => getservbyname('no such service'),
    () => getservbyname('ssh', 'no such protocol'),
    () => getservbyport(65_000),
    () => getprotobyname('no such protocol'),
  ]) {
    assert.throws(call, { name: 'SocketError', code: 'ENOENT' });
  }
  assert.throws(() => getservbyport(65_536), RangeError);
  assert.throws(() => getservbyname(22 as never), TypeError);
});
