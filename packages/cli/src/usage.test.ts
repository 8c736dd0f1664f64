import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { run, serve, temporaryDirectory } from './command.test.util.ts';

const WRONG: readonly [readonly string[], RegExp][] = [
  [[], /no command given/],
  [['serv'], /unknown command 'serv' \(Did you mean serve\?\)/],
  [['help', 'conect'], /unknown command 'conect' \(Did you mean connect\?\)/],
  [['--versio'], /unknown option '--versio' \(Did you mean --version\?\)/],
  [['serve', '--greetin', 'x'], /unknown option '--greetin' \(Did you mean --greeting\?\)/],
  [['serve', '--idle', '5'], /unknown option '--idle' \(Did you mean --idle-timeout\?\)/],
  [
    ['serve', '--timeout', '5'],
    /\(Did you mean --first-byte-timeout or --idle-timeout or --write-timeout\?\)/,
  ],
  [['connect', ':1', '--zzz'], /unknown option '--zzz'\n/],
  [['serve', '1.2.3.4:99999'], /cannot read address "1\.2\.3\.4:99999": the port "99999" is above/],
  [
    ['serve', ':1', 'nonsense'],
    /cannot read address "nonsense": it has no port; expected host:port/,
  ],
  [['serve', `unix:///${'x'.repeat(200)}`], /the path is too long \(201 bytes\)/],
  [['serve', 'tls://127.0.0.1:1'], /a tls:\/\/ server needs --cert and --key/],
  [['serve', '--hello', 'a', '--random'], /'--hello <text>' cannot be used with option '--random'/],
  [['serve', '--chat', 'udp://127.0.0.1:0'], /--chat needs connections/],
  [['serve', '--drain', 'soon'], /'soon' is invalid\. Expected a duration/],
  [['serve', '--idle-timeout', '0'], /Expected at least 1ms; none is for no limit/],
  [['serve', '--watch'], /--watch needs --module/],
  [['serve', '--max-connections', '0'], /Expected a number from 1 on/],
  [['serve', '--quit', ''], /Expected a word/],
  [['serve', '--port-file'], /argument missing/],
  [['connect'], /missing required argument 'address'; sockeye connect --help shows examples\n/],
  [['frobnicate', '--help'], /unknown command 'frobnicate'/],
  [['conect', '-h'], /unknown command 'conect' \(Did you mean connect\?\)/],
  [['connect', ':1', ':2'], /too many arguments[^;]*\n/],
  [['connect', '127.0.0.1', '41010'], /too many arguments.*; write 127\.0\.0\.1:41010\n/],
  [['listen', '::1', '41010'], /too many arguments.*; write \[::1\]:41010\n/],
  [['bench', 'localhost', '80'], /too many arguments.*; write localhost:80\n/],
  [['serve', 'localhost', '80'], /it has no port.*; write localhost:80\n/],
  [['forward', ':1', '127.0.0.1', '80'], /too many arguments.*; write 127\.0\.0\.1:80\n/],
  [['ping', 'localhost', '80'], /; a port has no ping: sockeye connect --probe localhost:80\n/],
  [['connect', 'localhost'], /it has no port/],
  [['connect', '127.0.0.1:0'], /port 0 is for servers only/],
  [['connect', 'vsock://:1'], /it has no cid/],
  [['connect', ':1', '--timeout', 'x'], /Expected a duration/],
  [['connect', ':1', '--timeout', '0'], /Expected more than 0/],
  [
    ['connect', '127.0.0.1:1', '--ca', 'cert.pem'],
    /--ca is for TLS, and tcp:\/\/127\.0\.0\.1:1 has none; expected tls:\/\/127\.0\.0\.1:1\n/,
  ],
  [
    ['serve', 'udp://127.0.0.1:0', '--cert', 'a', '--key', 'b'],
    /--cert is for TLS, .* expected tls:/,
  ],
  [['listen', 'unix:///tmp/s', '--ignore-unexpected-eof'], /--ignore-unexpected-eof is for TLS/],
  [['forward', '127.0.0.1:0', '127.0.0.1:1', '--insecure'], /--insecure is for TLS/],
  [['bench', '127.0.0.1:1', '--servername', 'x'], /--servername is for TLS/],
];

for (const [args, message] of WRONG) {
  test(`sockeye ${args.join(' ').slice(0, 60)} says in one line what is wrong and exits 2`, async (t) => {
    const { status, stdout, stderr } = await run(t, args);
    assert.equal(status, 2);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}

test('sockeye serve on a port in use says who holds it, in one line, and exits 1', async (t) => {
  const holder = await serve(t, ['127.0.0.1:0', 'udp://127.0.0.1:0']);
  for (const address of holder.addresses) {
    const { status, stderr } = await run(t, ['serve', '127.0.0.1:0', address]);
    assert.equal(status, 1);
    assert.match(stderr, /^sockeye: cannot listen on [^\n]+\(EADDRINUSE\)[^\n]*\n$/);
    assert.match(stderr, new RegExp(`pid ${holder.child.pid}\\b`));
  }
});

test('sockeye connect and listen refuse a file of --replay or --record before they meet a peer', async (t) => {
  const nowhere = join(temporaryDirectory(t), 'none', 'file');
  for (const flag of ['--replay', '--record']) {
    for (const args of [
      ['connect', '127.0.0.1:1'],
      ['listen', '127.0.0.1:0'],
    ]) {
      const { status, stderr } = await run(t, [...args, flag, nowhere]);
      assert.equal(status, 1);
      assert.match(
        stderr,
        new RegExp(`^sockeye: cannot \\w+ ${flag} [^\n]*no such file or directory \\(ENOENT\\)\n$`),
      );
    }
  }
});

test('sockeye connect --record leaves no file when nobody is there, and what is there as it is', async (t) => {
  const directory = temporaryDirectory(t);
  const [fresh, old] = [join(directory, 'fresh'), join(directory, 'old')];
  writeFileSync(old, 'kept');
  for (const file of [fresh, old]) {
    assert.equal((await run(t, ['connect', '127.0.0.1:1', '--record', file])).status, 1);
  }
  assert.deepEqual([existsSync(fresh), readFileSync(old, 'utf8')], [false, 'kept']);
});

test('sockeye connect says of --source what is wrong with it, and tries the next address', async (t) => {
  const connect = (...args: string[]) => run(t, ['connect', ...args]);
  const foreign = await connect('127.0.0.1:1', '--source', '192.0.2.5');
  assert.equal(foreign.status, 1);
  assert.match(foreign.stderr, /^sockeye: cannot use --source 192\.0\.2\.5: [^\n]*EADDRNOTAVAIL/);
  const family = await connect('127.0.0.1:1', '--source', '::1');
  assert.match(family.stderr, /^sockeye: cannot use --source ::1: it is of another family/);
  const server = await serve(t, ['127.0.0.1:0']);
  const { status, stdout } = await run(
    t,
    ['connect', `localhost:${server.ports[0]}`, '--source', '127.0.0.1'],
    'hello',
  );
  assert.deepEqual([status, stdout], [0, 'hello']);
});

const REFUSED: readonly [string, readonly string[], RegExp][] = [
  [
    'a port where nobody listens',
    ['connect', '127.0.0.1:1'],
    /connection refused \(ECONNREFUSED\)/,
  ],
  [
    'a host that does not exist',
    ['connect', 'nothing.invalid:80'],
    /cannot look up tcp:\/\/nothing\.invalid:80: (no such host|the host cannot be looked up)/,
  ],
  ['a Unix socket that does not exist', ['connect', 'unix:///nonexistent/s'], /ENOENT/],
  [
    'a port of vsock where nobody listens',
    ['connect', 'vsock://1:4294967290'],
    /nobody listens on that port there|no machine here has that cid|modprobe vsock/,
  ],
  ['an address of another machine', ['serve', '192.0.2.1:80'], /EADDRNOTAVAIL/],
];

for (const [name, args, message] of REFUSED) {
  test(`sockeye ${args[0]} with ${name} says so in one line and exits 1`, async (t) => {
    const { status, stdout, stderr } = await run(t, args);
    assert.equal(status, 1);
    assert.equal(stdout, '');
    assert.match(stderr, message);
    assert.match(stderr, /^sockeye: [^\n]+\n$/);
  });
}

for (const args of [['--help'], ['serve', '--help'], ['connect', '--help'], ['help', 'serve']]) {
  test(`sockeye ${args.join(' ')} shows examples on stdout and exits 0`, async (t) => {
    const { status, stdout, stderr } = await run(t, args);
    assert.deepEqual([status, stderr], [0, '']);
    const examples = stdout.slice(stdout.indexOf('\nExamples:\n')).match(/^ {2}.*\bsockeye \w+/gm);
    assert.ok((examples?.length ?? 0) >= 2, stdout);
    assert.ok(
      stdout.split('\n').every((line) => line.length <= 100),
      stdout,
    );
  });
}

test('sockeye --version prints the version of its package', async (t) => {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8');
  const { version }: { version: string } = JSON.parse(text);
  const { status, stdout } = await run(t, ['--version']);
  assert.deepEqual([status, stdout], [0, `${version}\n`]);
});
