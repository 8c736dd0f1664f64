import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { AF_VSOCK, SOCK_STREAM, Socket, VMADDR_CID_LOCAL, VMADDR_PORT_ANY } from '@sockeye/net';
import {
  addressOf,
  certificate,
  COMMAND,
  missing,
  python,
  Running,
  run,
  serve,
  startListening,
  startPython,
  temporaryDirectory,
} from './command.test.util.ts';

const PAGE = new URL('../../../docs/coming-from-nc.md', import.meta.url);
const POLL_MS = 20;

/** A row's place: a directory for its files, and ports that nobody has. */
interface Place {
  readonly directory: string;
  readonly ports: readonly [number, number];
}

interface Row {
  readonly section: string;
  readonly use: string;
  /** Absent where none of them can. */
  readonly before: string | undefined;
  readonly now: string;
}

function rows(): Row[] {
  let section = '';
  return readFileSync(PAGE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      section = /^## (.*)/.exec(line)?.[1] ?? section;
      const [, use, before, now] = /^\| (.*?) \| (?:`(.*)`|—) \| `(.*)` \|$/.exec(line) ?? [];
      if (use === undefined || now === undefined) return [];
      const [others, ours] = [before, now].map((cell) => cell?.replaceAll('\\|', '|'));
      return [{ section, use, before: others, now: ours ?? now }];
    });
}

/** The page's own handler. */
function handler(): string {
  const [, code] = /```js\n(.*?)```/s.exec(readFileSync(PAGE, 'utf8')) ?? [];
  assert.ok(code, 'the page has no upper.mjs');
  return code;
}

async function makePlace(t: TestContext): Promise<Place> {
  const directory = temporaryDirectory(t);
  certificate(directory);
  writeFileSync(join(directory, 'file'), 'hello\n');
  writeFileSync(join(directory, 'upper.mjs'), handler());
  const told = await python(
    t,
    `a, b = socket.create_server(('127.0.0.1', 0)), socket.create_server(('127.0.0.1', 0))
print(a.getsockname()[1], b.getsockname()[1])`,
  );
  const [first = 0, second = 0] = told.trim().split(' ').map(Number);
  return { directory, ports: [first, second] };
}

/** Runs a line of the page in a place of its own. */
function runLine(t: TestContext, line: string, { directory, ports }: Place): Running {
  const own = line
    .replaceAll('9000', String(ports[0]))
    .replaceAll('9001', String(ports[1]))
    .replaceAll('/tmp/', `${directory}/`)
    .replaceAll(/(ABSTRACT-[A-Z]+:|unix:@)app/g, `$1${abstractName(directory)}`);
  const program = own.replaceAll(/(?<=^|\| )sockeye /g, `${process.execPath} ${COMMAND} `);
  const exec = own.includes(';') ? '' : 'exec ';
  // A session of its own, so that what socat and ncat fork goes with it.
  const running = new Running(t, 'setsid', [
    'bash',
    '-c',
    `cd "$0" && ${exec}${program}`,
    directory,
  ]);
  t.after(() => endGroup(running));
  return running;
}

function endGroup({ child: { pid } }: Running): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL');
  } catch {
    // Nobody is left in it.
  }
}

function abstractName(directory: string): string {
  return `app-${directory.replaceAll('/', '-')}`;
}

/** Where the peer of a client's row listens, in the row's own words. */
function peerAddress({ now }: Row, { directory, ports }: Place): string {
  const [, unix] = /(unix[a-z-]*:\/\/)\/tmp/.exec(now) ?? [];
  if (unix !== undefined) return `${unix}${directory}/app.sock`;
  if (now.includes('unix:@')) return `unix:@${abstractName(directory)}`;
  const [, scheme = '', host = ''] =
    /((?:udp|tls):\/\/)?(127[0-9.]+|localhost|\[::1\]):/.exec(now) ?? [];
  return `${scheme}${host.replace('localhost', '127.0.0.1')}:${ports[0]}`;
}

/** How a line ends: with 0, unless the row says how it is, and was. */
function statusOf({ use, now }: Row, line: string): number {
  const [, others = 0, ours = 0] = /\((\d+) before, (\d+) now\)/.exec(use) ?? [];
  return Number(line === now ? ours : others);
}

async function runClient(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const tls = ownTls(row, place);
  // ncat ends without close_notify, and takes it for an error of its own when it is answered so.
  if (tls.length > 0 && line.startsWith('ncat')) tls.push('--ignore-unexpected-eof');
  const peer = await serve(t, [peerAddress(row, place)], '--verbose', ...tls);
  const client = runLine(t, line, place);
  if (!line.includes('< file')) client.child.stdin.end('hello\n');
  const { status, stdout } = await client.exit();
  assert.equal(status, statusOf(row, line));
  const expected = row.now.includes('--probe')
    ? ''
    : row.now.includes('--crlf') && !line.startsWith('socat')
      ? 'hello\r\n'
      : row.now.startsWith('printf')
        ? 'GET / HTTP/1.0\r\n\r\n'
        : 'hello\n';
  assert.equal(stdout, expected);
  if (/--record|2>>? log/.test(row.now)) {
    assert.match(readFileSync(join(place.directory, 'log'), 'utf8'), /hello/);
  }
  const [, address, port] = /(?<!udp.*)--source (?!0|\/)([\d.]*):?(9001)?/.exec(row.now) ?? [];
  if (address !== undefined) {
    const own = port === undefined ? '' : `${place.ports[1]} `;
    const from = `connected tcp://${address || '127.0.0.1'}:${own}`;
    await peer.until(({ stderr }) => `${stderr} `.includes(from));
  }
}

function ownCertificate({ directory }: Place): string[] {
  return ['--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')];
}

/** What a TLS server of ours needs, where the row's peer is one. */
function ownTls({ now }: Row, place: Place): string[] {
  if (!/ tls:\/\//.test(now)) return [];
  const { directory } = place;
  const own = ownCertificate(place);
  // Then it asks for the client's, and takes no other.
  return now.includes('connect') && now.includes('--cert')
    ? [...own, '--ca', join(directory, 'cert.pem')]
    : own;
}

/** A client of a peer that takes everything and says nothing. */
async function runSender(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const peer = await startListening(t, ['listen', peerAddress(row, place), '--keep']);
  const client = runLine(t, line, place);
  client.child.stdin.write('hello\n');
  // Who gives up does so while there may be more to send.
  const givesUp = row.use.startsWith('give up');
  if (!givesUp) client.child.stdin.end();
  // A file that grows has no end.
  if (!row.now.startsWith('tail')) {
    const { status, stdout } = await client.exit();
    assert.equal(status, statusOf(row, line));
    assert.equal(stdout, '');
  }
  await peer.until(({ stdout: heard }) =>
    line.startsWith('tar')
      ? /^file\0.*ustar.*hello\n/s.test(heard.toString())
      : heard.toString() === 'hello\n',
  );
}

/** A client of a peer that says a line and closes. Its own stdin does not end. */
async function runReceiver(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  await serve(t, [peerAddress(row, place)], '--hello', 'hello', ...ownTls(row, place));
  const client = runLine(t, line, place);
  const expected = row.now.includes('head -c 4') ? 'hell' : 'hello\n';
  const isCopied = row.now.endsWith('copy');
  if (!isCopied) await client.until((running) => running.stdout.toString() === expected);
  client.child.stdin.end();
  assert.equal((await client.exit()).status, 0);
  if (isCopied) assert.equal(readFileSync(join(place.directory, 'copy'), 'utf8'), expected);
}

/** What a client of ours gets from `address` for `words`, as soon as somebody listens there. */
async function ask(
  t: TestContext,
  address: string,
  args: readonly string[],
  words = 'hello\n',
): Promise<string> {
  for (;;) {
    const { status, stdout, stderr } = await run(t, ['connect', address, ...args], words);
    if (status === 0) return stdout;
    if (!/ECONNREFUSED|ENOENT/.test(stderr)) throw new Error(stderr);
    await pause(POLL_MS);
  }
}

function listenAddress({ now }: Row, { directory, ports }: Place): string {
  const [, unix] = /(unix[a-z-]*:\/\/)\/tmp\/new/.exec(now) ?? [];
  if (unix !== undefined) return `${unix}${directory}/new.sock`;
  if (now.includes('unix:@')) return `unix:@${abstractName(directory)}`;
  const [, scheme = ''] = /sockeye \w+ ((?:udp|tls):\/\/)?/.exec(now) ?? [];
  return `${scheme}${now.includes('[::1]:9000') ? '[::1]' : '127.0.0.1'}:${ports[0]}`;
}

async function runListener(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const listener = runLine(t, line, place);
  const address = listenAddress(row, place);
  // ncat ends TLS with a FIN alone: an error, which would end what we are still sending.
  const trust = address.startsWith('tls') ? ['--insecure', '--ignore-unexpected-eof'] : [];
  // Datagrams have no end, so that nc and socat wait for ever.
  const isOver = /--keep|udp:/.test(row.now) ? undefined : listener;
  const answer = line.includes('< file') ? 'hello\n' : 'answer';
  isOver?.child.stdin.end(answer);
  // nc that keeps listening says nothing back, so that its client must not wait for an end.
  const quick = isOver === undefined ? ['--timeout', '1s'] : [];
  const said = await askUntil(t, address, [...trust, ...quick]);
  const copy = join(place.directory, 'copy');
  const isCopied = row.now.includes('> copy');
  if (isOver === undefined) {
    const heard = (): string =>
      isCopied && existsSync(copy) ? readFileSync(copy, 'utf8') : listener.stdout.toString();
    while (!heard().includes('hello\n')) await pause(POLL_MS, undefined, { signal: t.signal });
  } else {
    assert.equal(said, answer);
    const { status, stdout } = await listener.exit();
    assert.equal(status, 0);
    assert.equal(isCopied ? readFileSync(copy, 'utf8') : stdout, 'hello\n');
  }
}

/** As `ask`, for a peer that may never end. */
async function askUntil(t: TestContext, address: string, args: string[]): Promise<string> {
  for (;;) {
    const { stdout, stderr } = await run(t, ['connect', address, ...args], 'hello\n');
    if (!/ECONNREFUSED|ENOENT/.test(stderr)) return stdout;
    await pause(POLL_MS);
  }
}

async function runServer(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  runLine(t, line, place);
  if (row.now.includes('--chat')) {
    const told = await python(
      t,
      `import time
def join():
    while True:
        try: return socket.create_connection(('127.0.0.1', int(sys.argv[1])), 20)
        except ConnectionRefusedError: time.sleep(0.02)
a, b = join(), join()
data = b''
while b'hello' not in data:
    a.sendall(b'hello\\n'); b.settimeout(0.2)
    try: data += b.recv(1000)
    except TimeoutError: pass
print('heard')`,
      place.ports[0],
    );
    assert.equal(told, 'heard\n');
    return;
  }
  const address = listenAddress(row, place);
  if (row.now.includes('HTTP')) {
    const args = ['-s', '--retry', '9', '--retry-connrefused', `http://${address}`];
    assert.match((await new Running(t, 'curl', args).exit()).stdout, /^hello\r?\n$/);
    return;
  }
  const trust = address.startsWith('tls') ? ['--insecure'] : [];
  // Who asks for a certificate takes no client without one.
  if (row.now.includes('--ca')) trust.push(...ownCertificate(place));
  const expected = row.now.includes('--module')
    ? 'HELLO\n'
    : row.now.includes('--discard')
      ? ''
      : 'hello\n';
  // Who only says a line closes over what it was sent, and then the client may hear of a reset.
  const words = row.now.includes('--hello') ? '' : undefined;
  if (/^ncat.* -[ec] /.test(line)) assert.equal(await askOpenly(t, address), expected);
  else assert.equal(await ask(t, address, trust, words), expected);
}

/** As `ask`, by a client that doesn't say that it is done: ncat's programs would end at once. */
async function askOpenly(t: TestContext, address: string): Promise<string> {
  return await askUntil(t, address, ['--no-shutdown', '--timeout', '1s']);
}

async function runForwarder(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const { directory, ports } = place;
  const [, scheme = ''] = / ((?:udp|tls):\/\/)127\.0\.0\.1:9001/.exec(row.now) ?? [];
  const target = row.now.endsWith('app.sock')
    ? `unix://${directory}/app.sock`
    : `${scheme}127.0.0.1:${ports[1]}`;
  const own = scheme === 'tls://' ? ownTls(row, place) : [];
  const peer = await serve(t, [target], '--reply', 're: ', ...own);
  assert.ok(addressOf(peer));
  runLine(t, line, place);
  const address = listenAddress(row, place);
  if (row.use.startsWith('make one stream')) {
    await ask(t, address, ['--timeout', '1s']).catch(() => undefined);
    return;
  }
  const trust = address.startsWith('tls') ? ['--ca', join(directory, 'cert.pem')] : [];
  const answer = /^ncat|^mkfifo/.test(line)
    ? await askOpenly(t, address)
    : await ask(t, address, trust);
  if (!row.now.includes('--proxy-protocol')) assert.equal(answer, 're: hello\n');
  else {
    const header = new RegExp(`^re: PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${ports[0]}\r\n`);
    assert.match(answer, header);
    assert.match(answer, /hello\n$/);
  }
}

const JOIN = `
import struct, time
group, port = '239.255.0.9', int(sys.argv[1])
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
s.bind(('', port if len(sys.argv) == 2 else 0))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
    socket.inet_aton(group) + socket.inet_aton('127.0.0.1'))
print('ready', flush=True)
`;

/** One side of a group on the loopback interface; Python, a member of it, is the other. */
async function runGroup(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const speaks = /hear/.test(row.use) && !row.use.startsWith('ask');
  const member = startPython(
    t,
    `${JOIN}
s.settimeout(${speaks ? '0.05' : 'None'})
while True:
    try: data, peer = s.recvfrom(100); print(data); s.sendto(b'answer: ' + data, peer)
    except TimeoutError: s.sendto(b'hello\\n', (group, port))`,
    place.ports[0],
    // Who only speaks leaves the port to the listener.
    ...(row.use.startsWith('hear') ? ['speaker'] : []),
  );
  await member.until(({ stdout }) => stdout.includes('ready'));
  const client = runLine(t, line, place);
  if (/^talk|^ask/.test(row.use)) {
    client.child.stdin.write('ours\n');
    if (!speaks) client.child.stdin.end();
    const heard = row.now.includes('--crlf') ? "b'ours\\r\\n'" : "b'ours\\n'";
    await member.until(({ stdout }) => stdout.includes(heard));
  }
  if (row.use.startsWith('ask')) {
    await client.until(({ stdout }) => /^answer: ours\r?\n$/m.test(stdout.toString()));
  }
  if (speaks) await client.until(({ stdout }) => stdout.includes('hello\n'));
}

/** Why the machine can't talk to itself over vsock; false if it can. */
function withoutVsock(): string | false {
  const own = new Socket(AF_VSOCK, SOCK_STREAM);
  try {
    own.bind({ cid: VMADDR_CID_LOCAL, port: VMADDR_PORT_ANY });
    return false;
  } catch (error) {
    return `vsock has no loopback here (vsock_loopback is not loaded): ${String(error)}`;
  } finally {
    own.close();
  }
}

/** The other side is one of ours, on the same machine. */
async function runVsock(t: TestContext, row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const [near, far] = place.ports;
  if (row.use.startsWith('talk')) {
    await serve(t, [`vsock://1:${near}`]);
    const client = runLine(t, line, place);
    client.child.stdin.end('hello\n');
    const { status, stdout } = await client.exit();
    assert.deepEqual([status, stdout], [0, 'hello\n']);
    return;
  }
  if (row.use.startsWith('forward')) {
    await serve(t, [row.now.endsWith('vsock://1:9001') ? `vsock://1:${far}` : `127.0.0.1:${far}`]);
  }
  const running = runLine(t, line, place);
  running.child.stdin.end('hello\n');
  const address = row.now.includes(' 127.0.0.1:9000') ? `127.0.0.1:${near}` : `vsock://1:${near}`;
  assert.equal(await ask(t, address, []), 'hello\n');
}

const RUN: Readonly<Record<string, typeof runClient>> = {
  'A client': runClient,
  'A sender': runSender,
  'A receiver': runReceiver,
  'A listener': runListener,
  'A server': runServer,
  'A forwarder': runForwarder,
  'A group': runGroup,
  'A virtual machine': runVsock,
};

test('docs/coming-from-nc.md has rows', () => assert.ok(rows().length > 120));

/** The options of nc or ncat that the page names, by letter and by name. */
function namedOptions(program: string): ReadonlySet<string> {
  const named = new Set<string>();
  const text = readFileSync(PAGE, 'utf8').replace(/```.*?```/s, '');
  for (const [, span = ''] of text.matchAll(/`([^`]+)`/g)) {
    for (const [words] of span.matchAll(new RegExp(`(?<![\\w-])${program} [^|;]*`, 'g'))) {
      for (const [, long, letters = ''] of words.matchAll(/ (?:--([\w-]+)|-(\w+))/g)) {
        for (const name of long === undefined ? letters : [long]) named.add(name);
      }
    }
  }
  return named;
}

for (const program of ['nc', 'ncat']) {
  test(`docs/coming-from-nc.md names every option of ${program}`, {
    skip: missing(program),
  }, async (t) => {
    const { stdout, stderr } = await new Running(t, program, ['-h']).exit();
    const named = namedOptions(program);
    const options = [
      ...`${stdout}${stderr}`.matchAll(/^\s+(?:-(\w)\b)?(?:, | +)?(?:--([\w-]+))?/gm),
    ]
      .map(([, ...names]) => names.filter((name) => name !== undefined))
      .filter((names) => names.length > 0);
    assert.ok(options.length > 30);
    assert.deepEqual(
      options.filter((names) => !names.some((name) => named.has(name))),
      [],
    );
  });
}

const seen = new Set<string>();
// Most of them wait for a second of silence.
describe('docs/coming-from-nc.md', { concurrency: 4 }, () => {
  for (const row of rows()) {
    for (const line of [row.before, row.now]) {
      // One line of ours may stand beside several of others.
      if (line === undefined || seen.has(line)) continue;
      seen.add(line);
      const [program = ''] = /\b(?:nc|ncat|socat|openssl|sockeye)\b/.exec(line) ?? [];
      const skip =
        missing(program === 'sockeye' ? 'openssl' : program) ||
        (line.includes('HTTP') && missing('curl')) ||
        (row.section === 'A virtual machine' && withoutVsock());
      test(`${row.use}: ${line}`, { skip }, async (t) => {
        const runRow = RUN[row.section];
        assert.ok(runRow, `no way to run the rows of "${row.section}"`);
        await runRow(t, row, line);
      });
    }
  }
});
