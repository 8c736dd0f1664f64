import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TcpInfo } from '@sockeye/net';
import {
  addressOf,
  missing,
  python,
  type Running,
  run,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';

const skip = missing('tshark') || missing('capinfos');

function tshark(file: string, ...args: string[]): string {
  const checks = ['tcp', 'udp', 'ip'].flatMap((name) => ['-o', `${name}.check_checksum:TRUE`]);
  const { stdout, stderr, status } = spawnSync('tshark', ['-r', file, ...checks, ...args], {
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  assert.equal(status, 0, stderr);
  return stdout;
}

/** What wireshark would warn of, but for resets, which it always warns of: nothing. */
function checkFile(file: string): void {
  const complaints =
    'tcp.checksum.status==0 || udp.checksum.status==0 || ip.checksum.status==0 || ' +
    'tcp.analysis.flags || _ws.malformed || (_ws.expert.severity >= 0x600000 && tcp.flags.reset==0)';
  assert.equal(tshark(file, '-Y', complaints), '');
  const { stdout, stderr, status } = spawnSync('capinfos', [file], { encoding: 'utf8' });
  assert.equal(status, 0);
  assert.equal(stderr.replace(/^Running as user.*\n/, ''), '');
  assert.match(stdout, /Capture comment: +Recorded by Sockeye .*synthesised/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
}

async function stop(server: Running): Promise<void> {
  server.child.kill('SIGTERM');
  assert.equal((await server.exit()).status, 0);
}

/** The bytes of a TCP conversation, as tshark puts them together: client, server. */
function bytesOf(file: string, stream: number): [string, string] {
  const fields = ['-T', 'fields', '-e', 'tcp.dstport', '-e', 'tcp.payload'];
  const lines = tshark(file, '-Y', `tcp.stream==${stream}`, ...fields)
    .trimEnd()
    .split('\n')
    .map((line) => line.split('\t') as [string, string]);
  const server = lines[0]?.[0];
  const towards = (isToServer: boolean): string =>
    lines
      .filter(([port]) => (port === server) === isToServer)
      .map(([, payload]) => payload)
      .join('');
  return [towards(true), towards(false)];
}

/** The TCP_INFO of a recording as tshark reads it: when it was read, at the end with what was received. */
function infosOf(file: string): string[] {
  const comments = tshark(file, '-T', 'fields', '-e', 'frame.comment');
  return [...comments.matchAll(/^TCP_INFO at the (start|end): (\{.*\})$/gm)].map(
    ([, when = '', json = '']) => {
      const { bytesReceived = -1 } = JSON.parse(json) as TcpInfo;
      // Before the connection was accepted some may have come.
      return when === 'end' ? `end ${bytesReceived}` : when;
    },
  );
}

test('sockeye serve --record writes exact bytes with handshake and close, which tshark reads without a warning', {
  skip,
}, async (t) => {
  const file = join(temporaryDirectory(t), 'server.pcapng');
  const server = await serve(t, ['127.0.0.1:0'], '--greeting', '你好', '--record', file);
  const sent = await python(
    t,
    `import os
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
data = os.urandom(300_000); back = b''
import threading
threading.Thread(target=lambda: (s.sendall(data), s.shutdown(socket.SHUT_WR))).start()
while piece := s.recv(65536): back += piece
assert back == '你好\\n'.encode() + data
print(data.hex())`,
    server.ports[0] as number,
  );
  await stop(server);
  checkFile(file);
  const greeting = Buffer.from('你好\n').toString('hex');
  assert.deepEqual(bytesOf(file, 0), [sent.trim(), greeting + sent.trim()]);
  const flags = tshark(file, '-T', 'fields', '-e', 'tcp.flags.str').replaceAll('·', '').split('\n');
  assert.deepEqual(flags.slice(0, 3), ['S', 'AS', 'A']);
  assert.equal(flags.filter((flag) => flag === 'AF').length, 2);
  // The kernel counts the FIN.
  assert.deepEqual(infosOf(file), ['start', 'end 300001']);
});

test('sockeye serve --record is complete after SIGTERM with clients that stay, and keeps a reset', {
  skip,
}, async (t) => {
  const file = join(temporaryDirectory(t), 'server.pcapng');
  const server = await serve(t, ['127.0.0.1:0'], '--record', file, '--drain', '100ms');
  await python(
    t,
    `import struct
s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
s.sendall(b'gone'); assert s.recv(4) == b'gone'
s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); s.close()`,
    server.ports[0] as number,
  );
  const stays = startPython(
    t,
    `s = socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
s.sendall(b'stays'); print(s.recv(5)); sys.stdin.read()`,
    server.ports[0] as number,
  );
  await stays.until(({ stdout }) => stdout.toString().includes('stays'));
  await stop(server);
  checkFile(file);
  assert.deepEqual(bytesOf(file, 1), ['7374617973', '7374617973']);
  const flags = (stream: number): string =>
    tshark(file, '-Y', `tcp.stream==${stream}`, '-T', 'fields', '-e', 'tcp.flags.str')
      .replaceAll('·', '')
      .replaceAll('\n', ' ');
  assert.deepEqual(infosOf(file), ['start', 'end 4', 'start', 'end 5']);
  assert.match(flags(0), / AR $/);
  assert.match(flags(1), / AF A AF A $/);
});

test('sockeye serve --record has datagrams, Unix sockets and several addresses in one file', {
  skip,
}, async (t) => {
  const directory = temporaryDirectory(t);
  const file = join(directory, 'server.pcapng');
  const server = await serve(
    t,
    ['udp://127.0.0.1:0', 'udp://[::1]:0', `unix://${directory}/s`, `unix-dgram://${directory}/d`],
    '--record',
    file,
  );
  await python(
    t,
    `for family, host, port in ((socket.AF_INET, '127.0.0.1', sys.argv[1]), (socket.AF_INET6, '::1', sys.argv[2])):
    s = socket.socket(family, socket.SOCK_DGRAM); s.settimeout(20)
    s.sendto(b'datagram', (host, int(port))); assert s.recv(100) == b'datagram'
s = socket.socket(socket.AF_UNIX); s.connect(sys.argv[3] + '/s'); s.sendall(b'unix'); assert s.recv(4) == b'unix'; s.close()
d = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); d.bind(sys.argv[3] + '/own')
d.sendto(b'd' * 70000, sys.argv[3] + '/d'); assert len(d.recv(100_000)) == 70000`,
    server.ports[0] as number,
    server.ports[1] as number,
    directory,
  );
  await stop(server);
  checkFile(file);
  const payloads = tshark(file, '-Y', 'udp', '-T', 'fields', '-e', 'udp.length').trim().split('\n');
  assert.deepEqual(payloads, ['16', '16', '16', '16', '65515', '4501', '65515', '4501']);
  assert.deepEqual(bytesOf(file, 0), ['756e6978', '756e6978']);
  const comments = tshark(file, '-Y', 'tcp.flags.syn==1', '-T', 'fields', '-e', 'frame.comment');
  assert.deepEqual(infosOf(file), []);
  const between = `unix:(unnamed) to unix://${directory}/s`;
  assert.ok(comments.startsWith(`${between}: the addresses are made up`), comments);
});

test('sockeye serve --record says in one line why a file cannot be written', async (t) => {
  const { status, stderr } = await run(t, ['serve', '127.0.0.1:0', '--record', '/nonexistent/x']);
  assert.equal(status, 1);
  assert.equal(
    stderr,
    'sockeye: cannot write --record /nonexistent/x: no such file or directory (ENOENT)\n',
  );
});

test('sockeye serve --hex dumps both directions of each client on stderr', async (t) => {
  const server = await serve(t, ['127.0.0.1:0', 'udp://127.0.0.1:0'], '--hex', '--reply', '> ');
  await run(t, ['connect', addressOf(server)], 'a\n');
  await server.until(({ stderr }) => /> 00000000 {2}3e 20 61 0a .*\|> a\.\|/.test(stderr));
  assert.match(server.stderr, /^tcp:\/\/127\.0\.0\.1:\d+ < 00000000 {2}61 0a .*\|a\.\|$/m);
});

for (const [command, ...more] of [['serve'], ['forward', '127.0.0.1:1']]) {
  test(`sockeye ${command} --record replaces no recording when it cannot listen`, async (t) => {
    const holder = await serve(t, ['127.0.0.1:0']);
    const file = join(temporaryDirectory(t), 'old.pcapng');
    writeFileSync(file, 'kept');
    const args = [command as string, addressOf(holder), ...more, '--record', file];
    assert.equal((await run(t, args)).status, 1);
    assert.equal(readFileSync(file, 'utf8'), 'kept');
  });
}
