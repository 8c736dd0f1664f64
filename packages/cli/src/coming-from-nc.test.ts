import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
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
import { EXIT } from './exit-code.ts';

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
  const program = own.replace(/(?<=^|\| )sockeye /, `${process.execPath} ${COMMAND} `);
  // A session of its own, so that what socat and ncat fork goes with it.
  const running = new Running(t, 'setsid', ['bash', '-c', `cd "$0" && exec ${program}`, directory]);
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
  const [, scheme = '', host = ''] = /((?:udp|tls):\/\/)?(127[0-9.]+|\[::1\]):/.exec(now) ?? [];
  return `${scheme}${host}:${ports[0]}`;
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
  assert.equal(status, 0);
  const expected = row.now.includes('--probe')
    ? ''
    : row.now.includes('--crlf')
      ? 'hello\r\n'
      : row.now.startsWith('printf')
        ? 'GET / HTTP/1.0\r\n\r\n'
        : 'hello\n';
  assert.equal(stdout, expected);
  if (/--record|2> log/.test(row.now)) {
    assert.match(readFileSync(join(place.directory, 'log'), 'utf8'), /hello/);
  }
  const [, address, port] = /(?<!udp.*)--source ([\d.]*):?(9001)?/.exec(row.now) ?? [];
  if (address !== undefined) {
    const own = port === undefined ? '' : `${place.ports[1]} `;
    const from = `connected tcp://${address || '127.0.0.1'}:${own}`;
    await peer.until(({ stderr }) => `${stderr} `.includes(from));
  }
}

/** What a TLS server of ours needs, where the row's peer is one. */
function ownTls({ now }: Row, { directory }: Place): string[] {
  if (!/ tls:\/\//.test(now)) return [];
  const own = ['--cert', join(directory, 'cert.pem'), '--key', join(directory, 'key.pem')];
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
  const { status, stdout } = await client.exit();
  assert.equal(status, givesUp && line === row.now ? EXIT.deadline : 0);
  assert.equal(stdout, '');
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
  await client.until((running) => running.stdout.toString() === 'hello\n');
  client.child.stdin.end();
  assert.equal((await client.exit()).status, 0);
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
  const isOver = /--keep/.test(row.now) ? undefined : listener;
  const answer = line.includes('< file') ? 'hello\n' : 'answer';
  isOver?.child.stdin.end(answer);
  // nc that keeps listening says nothing back, so that its client must not wait for an end.
  const quick = isOver === undefined ? ['--timeout', '1s'] : [];
  const said = await askUntil(t, address, [...trust, ...quick]);
  if (isOver === undefined) await listener.until(({ stdout }) => stdout.includes('hello\n'));
  else {
    assert.equal(said, answer);
    const { status, stdout } = await listener.exit();
    assert.equal(status, 0);
    const copy = join(place.directory, 'copy');
    assert.equal(line.includes('> copy') ? readFileSync(copy, 'utf8') : stdout, 'hello\n');
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
  const trust = address.startsWith('tls') ? ['--insecure'] : [];
  const expected = row.now.includes('--module')
    ? 'HELLO\n'
    : row.now.includes('--discard')
      ? ''
      : 'hello\n';
  // Who only says a line closes over what it was sent, and then the client may hear of a reset.
  const words = row.now.includes('--hello') ? '' : undefined;
  assert.equal(await ask(t, address, trust, words), expected);
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
  const trust = address.startsWith('tls') ? ['--ca', join(directory, 'cert.pem')] : [];
  const answer = await ask(t, address, trust);
  if (!row.now.includes('--proxy-protocol')) assert.equal(answer, 're: hello\n');
  else {
    const header = new RegExp(`^re: PROXY TCP4 127.0.0.1 127.0.0.1 \\d+ ${ports[0]}\r\n`);
    assert.match(answer, header);
    assert.match(answer, /hello\n$/);
  }
}

/** One side of a multicast group on the loopback interface; Python is the other. */
async function runMulticast(t: TestContext, _row: Row, line: string): Promise<void> {
  const place = await makePlace(t);
  const [port] = place.ports;
  if (/^socat -u UDP4-RECV|listen/.test(line)) {
    const hearer = runLine(t, line, place);
    const speaker = startPython(
      t,
      `import time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('127.0.0.1'))
while True: s.sendto(b'hello\\n', ('239.255.0.9', int(sys.argv[1]))); time.sleep(0.05)`,
      port,
    );
    await hearer.until(({ stdout }) => stdout.toString().startsWith('hello\n'));
    speaker.child.kill();
    return;
  }
  const hearer = startPython(
    t,
    `import struct
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('239.255.0.9', int(sys.argv[1])))
s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP,
    socket.inet_aton('239.255.0.9') + socket.inet_aton('127.0.0.1'))
print('ready', flush=True); print(s.recv(100))`,
    port,
  );
  await hearer.until(({ stdout }) => stdout.includes('ready'));
  runLine(t, line, place).child.stdin.end('hello\n');
  await hearer.until(({ stdout }) => stdout.includes("b'hello"));
}

const RUN: Readonly<Record<string, typeof runClient>> = {
  'A client': runClient,
  'A sender': runSender,
  'A receiver': runReceiver,
  'A listener': runListener,
  'A server': runServer,
  'A forwarder': runForwarder,
  'A group': runMulticast,
};

test('docs/coming-from-nc.md has rows', () => assert.ok(rows().length > 20));

const seen = new Set<string>();
for (const row of rows()) {
  for (const line of [row.before, row.now]) {
    // One line of ours may stand beside several of others.
    if (line === undefined || seen.has(line)) continue;
    seen.add(line);
    const program = /(?:^|\| )(?!printf|tar)(\S+)/.exec(line)?.[1] as string;
    const skip = program === 'sockeye' ? missing('openssl') : missing(program);
    test(`docs/coming-from-nc.md: ${row.use}: ${line}`, { skip }, async (t) => {
      const runRow = RUN[row.section];
      assert.ok(runRow, `no way to run the rows of "${row.section}"`);
      await runRow(t, row, line);
    });
  }
}
