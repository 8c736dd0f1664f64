import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Running, temporaryDirectory } from '../command.test.util.ts';

const MAIN = fileURLToPath(new URL('./transfer-main.test.util.js', import.meta.url));

function start(t: TestContext, ...args: string[]): Running {
  return new Running(t, process.execPath, [MAIN, ...args]);
}

async function run(t: TestContext, ...args: string[]) {
  return start(t, ...args).exit();
}

/** A place with a tree to send and an inbox. */
function place(t: TestContext) {
  const directory = temporaryDirectory(t);
  const at = (name: string): string => join(directory, name);
  mkdirSync(at('inbox'));
  mkdirSync(at('tree'));
  writeFileSync(at('tree/a'), 'hello');
  writeFileSync(at('tree/b'), Buffer.alloc(2_000_000, 'x'));
  return { at, inbox: at('inbox'), tree: at('tree'), secret: at('secret') };
}

/** Starts a receiver and waits for its address. */
async function receive(t: TestContext, ...args: string[]) {
  const running = start(t, 'receive', ...args);
  const [, address] = await running.until(({ stderr }) =>
    /^listening on tcp:\/\/(\S+)$/m.exec(stderr),
  );
  return { running, address: address as string };
}

function objects(stdout: string): { type?: string; name?: string; [key: string]: unknown }[] {
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as { type?: string });
}

test('receive makes the directory, but not its parents, and takes no file for one', async (t) => {
  const { at, tree, secret } = place(t);
  const { address } = await receive(t, at('new'), '--secret-file', secret);
  assert.equal((await run(t, 'send', tree, address, '--secret-file', secret)).status, 0);
  assert.equal(readFileSync(at('new/tree/a'), 'utf8'), 'hello');
  const nested = await run(t, 'receive', at('no/such'), '--secret-file', secret);
  assert.match(nested.stderr, /^cannot receive into .*: no such file or directory/);
  const file = await run(t, 'receive', secret, '--secret-file', secret);
  assert.match(file.stderr, /^cannot receive into .*: it is not a directory\n$/);
  assert.deepEqual([nested.status, file.status], [1, 1]);
});

test('send and receive bring a tree over; the same again counts it as done; verify finds it whole', async (t) => {
  const { at, inbox, tree, secret } = place(t);
  const { running, address } = await receive(t, inbox, '--secret-file', secret);
  assert.equal(statSync(secret).mode & 0o777, 0o600);
  const first = await run(
    t,
    'send',
    tree,
    address,
    '--secret-file',
    secret,
    '--json',
    '--receipt',
    at('receipt'),
  );
  assert.equal(first.status, 0, first.stderr);
  const events = objects(first.stdout);
  assert.deepEqual([events[0]?.type, events.at(-1)?.type], ['offer', 'done']);
  // The answer, before anything else.
  assert.deepEqual([events[1]?.type, events[1]?.['bytes']], ['progress', 0]);
  const file = events.find(({ name }) => name === 'tree/b');
  assert.equal(file?.['acknowledged'], true);
  assert.match(String(file?.['hash']), /^[0-9a-f]{64}$/);
  assert.deepEqual(readFileSync(join(inbox, 'tree/b')), readFileSync(join(tree, 'b')));
  const again = await run(t, 'send', tree, address, '--secret-file', secret);
  assert.equal(again.status, 0, again.stderr);
  assert.match(again.stderr, /same tree\/b/);
  const whole = await run(t, 'verify', at('receipt'), inbox);
  assert.equal(whole.stdout, '3 are the same; other files were not looked at\n');
  assert.equal(whole.status, 0);
  const below = await run(t, 'verify', at('receipt'), join(inbox, 'tree'));
  assert.match(
    below.stdout,
    new RegExp(`; try: sockeye verify .* ${inbox}\n3 of 3 differ: 3 missing; [^\n]*\n$`),
  );
  assert.equal(below.status, 3);
  const quiet = await run(t, 'verify', at('receipt'), join(inbox, 'tree'), '--quiet');
  assert.deepEqual([quiet.stdout, quiet.status], ['', 3]);
  const nowhere = await run(t, 'verify', at('nowhere'), inbox);
  assert.match(
    nowhere.stderr,
    /cannot read the receipt .*: no such file or directory \(ENOENT\)\n$/,
  );
  writeFileSync(join(inbox, 'tree/a'), 'HELLO');
  const verified = await run(t, 'verify', at('receipt'), inbox);
  assert.equal(verified.status, 3);
  assert.match(verified.stdout, /^different tree\/a.*\n1 of 3 differ: 1 different; .*\n$/);
  const refused = await run(t, 'send', tree, address, '--secret-file', secret);
  assert.equal(refused.status, 1);
  assert.equal(readFileSync(join(inbox, 'tree/a'), 'utf8'), 'HELLO');
  running.child.kill('SIGTERM');
  assert.equal((await running.exit()).status, 0);
});

test('receive prints a secret on a line of its own, which is in no argument list', async (t) => {
  const { inbox, tree, secret } = place(t);
  const { running, address } = await receive(t, inbox, '--once');
  const [shown] = await running.until(({ stderr }) =>
    /^[0-9a-hjkmnp-tv-z]{4}(-[0-9a-hjkmnp-tv-z]{4}){7}$/m.exec(stderr),
  );
  assert.match(
    running.stderr,
    new RegExp(`sockeye send PATH… ${address}\n.*--secret-file FILE keeps`),
  );
  writeFileSync(secret, `${shown.toUpperCase()}\n`);
  const sender = start(t, 'send', tree, address, '--secret-file', '-', '--rate', '4M');
  sender.child.stdin.end(readFileSync(secret));
  const listed = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' });
  assert.equal(listed.includes(shown), false);
  assert.equal((await sender.exit()).status, 0);
  assert.equal((await running.exit()).status, 0);
});

test('send ends with 4 for a wrong secret, 2 for wrong usage, 1 where nobody listens', async (t) => {
  const { at, inbox, tree } = place(t);
  const { address, running } = await receive(t, inbox);
  writeFileSync(at('wrong'), '0123-4567-89ab-cdef-ghjk-mnpq-rstv-wxyz');
  const wrong = await run(t, 'send', tree, address, '--secret-file', at('wrong'));
  assert.equal(wrong.status, 4);
  assert.match(wrong.stderr, /the secrets differ/);
  assert.match(running.stderr, /turned away/);
  assert.equal((await run(t, 'send', tree)).status, 2);
  assert.equal((await run(t, 'send', tree, 'udp://127.0.0.1:9', '--insecure')).status, 2);
  assert.equal((await run(t, 'send', tree, address)).status, 2);
  assert.equal((await run(t, 'send', tree, address, '--rate', 'fast', '--insecure')).status, 2);
  assert.equal((await run(t, 'send', tree, '127.0.0.1:1', '--insecure')).status, 1);
  assert.equal((await run(t, 'send', at('none'), address, '--insecure')).status, 1);
  assert.equal((await run(t, 'receive', inbox, '--insecure')).status, 2);
});

test('send looks for the paths before it asks for a secret, and tells an address beside --listen', async (t) => {
  const { at, tree } = place(t);
  const none = await run(t, 'send', tree, at('none'), '127.0.0.1:9');
  assert.equal(none.stderr, `cannot send ${at('none')}: no such file or directory (ENOENT)\n`);
  const both = await run(t, 'send', tree, '--listen', '127.0.0.1:0', '127.0.0.1:9');
  assert.match(both.stderr, /^--listen and an address exclude each other: .* 127\.0\.0\.1:9\n$/);
  assert.deepEqual([none.status, both.status], [1, 2]);
});

test('send --listen waits for a receiver that connects', async (t) => {
  const { inbox, tree, secret } = place(t);
  const sender = start(t, 'send', tree, '--listen', '127.0.0.1:0', '--secret-file', secret);
  const [, address] = await sender.until(({ stderr }) =>
    /^listening on tcp:\/\/(\S+)$/m.exec(stderr),
  );
  const receiver = await run(t, 'receive', inbox, address as string, '--secret-file', secret);
  assert.equal(receiver.status, 0, receiver.stderr);
  assert.equal((await sender.exit()).status, 0);
  assert.equal(readFileSync(join(inbox, 'tree/a'), 'utf8'), 'hello');
});

test('send ends with 130 on SIGINT, and the same command goes on', async (t) => {
  const { at, inbox } = place(t);
  writeFileSync(at('large'), Buffer.alloc(16 * 1024 * 1024, 'y'));
  const { address, running } = await receive(t, inbox, '--insecure', '--yes');
  const sender = start(t, 'send', at('large'), address, '--insecure', '--rate', '6M', '--json');
  await sender.until(({ stdout }) => /"bytes":[3-9]\d{6}/.test(stdout.toString()));
  sender.child.kill('SIGINT');
  const { status, stderr } = await sender.exit();
  assert.equal(status, 130, stderr);
  assert.equal(stderr.split('\n').at(-2), 'interrupted; the same command again goes on');
  await running.until((receiver) =>
    /^the sender was interrupted: 127\S+; what arrived is kept, its next run goes on$/m.test(
      receiver.stderr,
    ),
  );
  assert.equal(existsSync(join(inbox, 'large')), false);
  const next = await run(t, 'send', at('large'), address, '--insecure', '--json');
  assert.equal(next.status, 0, next.stderr);
  const done = objects(next.stdout).at(-1);
  assert.ok(Number(done?.['transferredBytes']) < 14 * 1024 * 1024, JSON.stringify(done));
});

test('receive says on SIGINT what it waits for, ends at the second with 130, and its sender goes on later', async (t) => {
  const { at, inbox } = place(t);
  writeFileSync(at('large'), Buffer.alloc(16 * 1024 * 1024, 'y'));
  const { running, address } = await receive(t, inbox, '--insecure', '--yes');
  const sender = start(t, 'send', at('large'), address, '--insecure', '--rate', '6M', '--json');
  await sender.until(({ stdout }) => /"bytes":[3-9]\d{6}/.test(stdout.toString()));
  running.child.kill('SIGINT');
  await running.until(({ stderr }) =>
    stderr.includes('no new senders; what runs gets 5 s to end, a second signal cuts it\n'),
  );
  running.child.kill('SIGINT');
  assert.equal((await running.exit()).status, 130);
  assert.equal((await sender.exit()).status, 1);
  assert.equal(existsSync(join(inbox, 'large')), false);
  const later = await receive(t, inbox, '--insecure', '--yes');
  const next = await run(t, 'send', at('large'), later.address, '--insecure', '--json');
  assert.equal(next.status, 0, next.stderr);
  const done = objects(next.stdout).at(-1);
  assert.ok(Number(done?.['transferredBytes']) < 14 * 1024 * 1024, JSON.stringify(done));
  later.running.child.kill('SIGINT');
  const { status, stderr } = await later.running.exit();
  assert.equal(status, 0);
  assert.doesNotMatch(stderr, /no new senders/);
});

test('send and receive say so on both sides where only one of them is --insecure', async (t) => {
  const { at, inbox, tree, secret } = place(t);
  const both = 'insecure is for both sides or for none';
  const doesNot = "it doesn't encrypt: it isn't Sockeye, or only this side has a secret";
  const open = await receive(t, inbox, '--insecure', '--yes');
  writeFileSync(secret, '0123456789abcdefghjkmnpqrstvwxyz\n');
  const closed = await receive(t, at('inbox'), '--secret-file', secret);
  const encrypting = await run(t, 'send', tree, open.address, '--secret-file', secret);
  const plain = await run(t, 'send', tree, closed.address, '--insecure');
  const words = `annot pair with ${open.address}: ${doesNot}; ${both}\n`;
  assert.equal(encrypting.stderr.slice(1), words);
  assert.match(plain.stderr, /it closed the connection; perhaps it wants a secret/);
  assert.deepEqual([encrypting.status, plain.status], [1, 1]);
  await open.running.until(({ stderr }) =>
    stderr.includes(`it encrypts and this side doesn't; ${both}\n`),
  );
  await closed.running.until(({ stderr }) => stderr.includes(`${doesNot}; ${both}\n`));
  const [host, port] = closed.address.split(':') as [string, string];
  connect(Number(port), host)
    .on('error', () => undefined)
    .end('what is no Sockeye at all\n');
  const told = new RegExp(`${doesNot}; ${both}\n`, 'g');
  await closed.running.until(({ stderr }) => (stderr.match(told)?.length ?? 0) === 2);
});

test('send --listen prints a line that works for the other side', async (t) => {
  const { inbox, tree, secret } = place(t);
  const sending = start(t, 'send', tree, '--listen', '127.0.0.1:0', '--secret-file', secret);
  const [, words] = await sending.until(({ stderr }) =>
    /^on the other side: sockeye (receive .*)$/m.exec(stderr),
  );
  const line = (words as string).replace('DIR', inbox).replace('FILE', secret).split(' ');
  assert.equal((await run(t, ...line)).status, 0);
  assert.equal((await sending.exit()).status, 0);
  assert.equal(readFileSync(join(inbox, 'tree/a'), 'utf8'), 'hello');
});

test('--receipt writes the same on both sides, and keeps what is there before anything is sent', async (t) => {
  const { at, inbox, tree, secret } = place(t);
  const key = ['--secret-file', secret];
  const { running, address } = await receive(t, inbox, ...key, '--once', '--receipt', at('theirs'));
  writeFileSync(at('mine'), 'precious');
  const refused = await run(t, 'send', tree, address, ...key, '--receipt', at('mine'));
  assert.equal(refused.status, 1);
  assert.match(refused.stderr, /cannot write the receipt to .*: it is there already and is kept/);
  assert.deepEqual(
    [readFileSync(at('mine'), 'utf8'), existsSync(join(inbox, 'tree'))],
    ['precious', false],
  );
  const sent = await run(t, 'send', tree, address, ...key, '--receipt', at('ours'));
  assert.equal(sent.status, 0, sent.stderr);
  assert.equal((await running.exit()).status, 0);
  const [ours, theirs] = ['ours', 'theirs'].map(
    (name) => JSON.parse(readFileSync(at(name), 'utf8')) as { entries: unknown[]; side: string },
  );
  assert.deepEqual([ours?.side, theirs?.side], ['sender', 'receiver']);
  assert.deepEqual(ours?.entries.length, 3);
  assert.deepEqual(ours?.entries, theirs?.entries);
  assert.equal(statSync(at('ours')).mode & 0o777, 0o600);
  for (const name of ['ours', 'theirs']) {
    assert.equal((await run(t, 'verify', at(name), inbox)).status, 0);
  }
});
