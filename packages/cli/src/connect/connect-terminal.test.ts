import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  missing,
  PYTHON_TALK,
  type Running,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';
import { Screen } from '../screen.test.util.ts';

const skip = missing('tmux');

interface Scene {
  readonly screen: Screen;
  /** Sends bytes to the command, in Python's notation: `\xe4`. */
  readonly say: (bytes: string) => void;
  readonly server: Running;
  readonly directory: string;
}

/** A server in Python's hands with the command connected to it. */
async function scene(t: TestContext, ...args: string[]): Promise<Scene> {
  const directory = temporaryDirectory(t);
  const server = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
${PYTHON_TALK}`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const screen = new Screen(t, ['connect', `127.0.0.1:${port}`, '--quiet', ...args], directory);
  await screen.ends('>');
  return { screen, server, directory, say: (bytes) => server.child.stdin.write(`${bytes}\n`) };
}

test('sockeye connect on a terminal prints what arrives above the line being typed', {
  skip,
}, async (t) => {
  const { screen, say, server } = await scene(t);
  screen.type('你好, half');
  await screen.ends('> 你好, half');
  say('first\\nsecond\\r\\n');
  await screen.ends('first', 'second', '> 你好, half');
  screen.type(' typed');
  screen.press('Enter');
  await screen.ends('> 你好, half typed', '>');
  await server.until(({ stdout }) => stdout.includes("received '你好, half typed\\n'\n"));
});

test('sockeye connect on a terminal continues a line that arrives in parts, characters in halves', {
  skip,
}, async (t) => {
  const { screen, say } = await scene(t);
  screen.type('abc');
  say('Name \\xe4\\xbd');
  await screen.ends('Name', '> abc');
  say('\\xa0: ');
  await screen.ends('Name 你:', '> abc');
  say('more\\nopen');
  await screen.ends('Name 你: more', 'open', '> abc');
  screen.press('Enter');
  await screen.ends('open', '> abc', '>');
  say('next');
  await screen.ends('open', '> abc', 'next', '>');
});

test('sockeye connect on a terminal keeps a wrapped line whole', { skip }, async (t) => {
  const { screen, say } = await scene(t);
  screen.type(`${'宽'.repeat(20)}${'x'.repeat(30)}`);
  await screen.ends(`> ${'宽'.repeat(19)}`, `宽${'x'.repeat(30)}`);
  say('in between\\n');
  await screen.ends('in between', `> ${'宽'.repeat(19)}`, `宽${'x'.repeat(30)}`);
  say('open');
  await screen.ends('in between', 'open', `> ${'宽'.repeat(19)}`, `宽${'x'.repeat(30)}`);
  screen.press('C-u');
  screen.type('short');
  await screen.ends('in between', 'open', '> short');
});

test('sockeye connect never lets the peer’s control characters reach the terminal', {
  skip,
}, async (t) => {
  const { screen, say } = await scene(t);
  say('\\x1b[2J\\x1b]0;title\\x07\\x08\\xc2\\x9bH\\xe2\\x80\\xaeend\\n');
  await screen.ends('\\x1b[2J\\x1b]0;title\\x07\\x08\\x9bH\\u202een', 'd', '>');
});

test('sockeye connect inserts where the cursor is, and recalls lines of earlier sessions', {
  skip,
}, async (t) => {
  const { screen, server, directory } = await scene(t);
  screen.type('你c');
  screen.press('Left', 'Left');
  screen.type('ab');
  screen.press('Enter');
  await screen.ends('> ab你c', '>');
  await server.until(({ stdout }) => stdout.includes("received 'ab你c\\n'\n"));
  screen.press('C-d');
  await server.until(({ stdout }) => stdout.includes('received the end'));
  server.child.stdin.write('close\n');
  await screen.ends('status 0');
  const file = join(directory, 'sockeye/history');
  assert.equal(readFileSync(file, 'utf8'), 'ab你c\n');
  assert.equal(statSync(file).mode & 0o777, 0o600);

  const { addresses } = await serve(t, ['127.0.0.1:0']);
  const second = new Screen(t, ['connect', addresses[0] as string, '-q'], directory);
  await second.ends('>');
  second.press('Up');
  await second.ends('> ab你c');
});

test('sockeye connect on a terminal says that the peer has closed, and ends with 0', {
  skip,
}, async (t) => {
  const { addresses } = await serve(t, ['127.0.0.1:0'], '--hello', 'no newline to follow');
  const screen = new Screen(t, ['connect', addresses[0] as string], temporaryDirectory(t));
  await screen.ends('no newline to follow', 'the peer closed the connection', 'status 0');
});

test('sockeye connect on a terminal exits 130 on Ctrl-C', { skip }, async (t) => {
  const { screen } = await scene(t);
  screen.type('half a line');
  screen.press('C-c');
  await screen.ends('status 130');
});

test('sockeye connect --quit on a terminal ends with 0 and keeps the word to itself', {
  skip,
}, async (t) => {
  const { screen, server } = await scene(t, '--quit', 'exit');
  screen.type('exit');
  screen.press('Enter');
  await screen.ends('> exit', 'status 0');
  await server.until(({ stdout }) => stdout.includes('received the end'));
  assert.ok(!server.stdout.includes("'exit"));
});

test('sockeye connect udp:// on a terminal sends a datagram a line, and waits for a server that starts later', {
  skip,
}, async (t) => {
  const directory = temporaryDirectory(t);
  const probe = await serve(t, ['udp://127.0.0.1:0']);
  const port = probe.ports[0] as number;
  probe.child.kill('SIGKILL');
  await probe.exit();
  const screen = new Screen(t, ['connect', `udp://127.0.0.1:${port}`, '-q'], directory);
  await screen.ends('>');
  screen.type('lost');
  screen.press('Enter');
  await screen.ends('USED); nobody listens there', '>');
  const server = startPython(
    t,
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', int(sys.argv[1])))
print('bound')
for _ in range(2):
    data, client = s.recvfrom(1000); s.sendto(repr(data.decode()).encode(), client)`,
    port,
  );
  await server.until(({ stdout }) => stdout.includes('bound'));
  screen.type('你好');
  screen.press('Enter');
  await screen.ends("'你好'", '>');
  screen.type('two');
  screen.press('Enter');
  await screen.ends("'你好'", '> two', "'two'", '>');
  screen.press('C-d');
  await screen.ends('status 0');
});
