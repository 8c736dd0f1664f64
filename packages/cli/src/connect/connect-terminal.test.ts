import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  addressOf,
  missing,
  PYTHON_TALK,
  type Running,
  serve,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';
import { Screen, type ScreenOptions } from '../screen.test.util.ts';

const skip = missing('tmux');

interface Scene {
  readonly screen: Screen;
  /** Sends bytes to the command, in Python's notation: `\xe4`. */
  readonly say: (bytes: string) => void;
  readonly server: Running;
  readonly directory: string;
}

/** Text in Python's notation of bytes. */
function escaped(text: string): string {
  return Array.from(Buffer.from(text), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join(
    '',
  );
}

/** A server in Python's hands with the command connected to it. */
async function scene(t: TestContext, ...args: string[]): Promise<Scene> {
  const found = await unseenScene(t, args);
  await found.screen.ends('>');
  return found;
}

/** The same before the screen shows anything. */
async function unseenScene(
  t: TestContext,
  args: readonly string[],
  options: ScreenOptions = {},
): Promise<Scene> {
  const directory = temporaryDirectory(t);
  const server = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
${PYTHON_TALK}`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const all = ['connect', `127.0.0.1:${port}`, '--quiet', ...args];
  const screen = new Screen(t, all, directory, options);
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

test('sockeye connect on a terminal keeps what is typed and shown right at the margin', {
  skip,
}, async (t) => {
  const { screen, say, server } = await scene(t);
  // With the prompt 40 columns, all that there are.
  const full = '一二三四五六七八九十一二三四五六七八九';
  screen.type(full);
  await screen.ends(`> ${full}`);
  say('in\\n');
  await screen.ends('in', `> ${full}`);
  screen.type('x');
  await screen.ends('in', `> ${full}`, 'x');
  say(escaped('宽'.repeat(20)));
  await screen.ends('in', '宽'.repeat(20), `> ${full}`, 'x');
  say(`${escaped('!')}\\n${'0'.repeat(39)}${escaped('宽')}`);
  const shown = ['宽'.repeat(20), '!', '0'.repeat(39), '宽'];
  await screen.ends('in', ...shown, `> ${full}`, 'x');
  screen.press('BSpace', 'BSpace');
  screen.type('ab一');
  await screen.ends(...shown, `> ${full.slice(0, -1)}ab`, '一');
  say('\\n');
  await screen.ends(...shown, `> ${full.slice(0, -1)}ab`, '一');
  screen.press('Enter');
  const line = `${full.slice(0, -1)}ab一`;
  await server.until(({ stdout }) => stdout.includes(`received '${line}\\n'\n`));
});

test('sockeye connect on a terminal sends 200 pasted lines, and shows each', {
  skip,
}, async (t) => {
  const { screen, server } = await scene(t);
  const lines = Array.from({ length: 200 }, (_, index) => `line ${index + 1} 你好`);
  screen.paste(`${lines.join('\n')}\n`);
  await screen.ends('> line 199 你好', '> line 200 你好', '>');
  await server.until(({ stdout }) => stdout.includes('line 200 '));
  const said = [...server.stdout.toString().matchAll(/received '(.*)'/g)].map(([, text]) => text);
  assert.equal(said.join(''), lines.map((line) => `${line}\\n`).join(''));
});

test('sockeye connect on a terminal survives Ctrl-Z and fg, with the line being typed', {
  skip,
}, async (t) => {
  const script =
    'set -m; "$0" "$@"; echo; stty -a | grep -o "[-]*icanon"; read -r _; fg >/dev/null; echo "status $?"; exec cat';
  const { screen, say, server } = await unseenScene(t, [], { script });
  await screen.ends('>');
  say('open');
  await screen.ends('open', '>');
  screen.type('half 你好');
  await screen.ends('open', '> half 你好');
  screen.press('C-z');
  // The shell has its terminal back as it was.
  await screen.shows(/^icanon$/m);
  say(' and\\nmore');
  screen.type('go on');
  screen.press('Enter');
  // What the shell has shown stays.
  await screen.ends('icanon', 'go on', 'open and', 'more', '> half 你好');
  screen.type(' typed');
  screen.press('Enter');
  await server.until(({ stdout }) => stdout.includes("received 'half 你好 typed\\n'\n"));
  screen.press('C-c');
  await screen.ends('status 130');
});

test('sockeye connect on a dumb terminal moves no cursor, and escapes what arrives', {
  skip,
}, async (t) => {
  const script = 'TERM=dumb "$0" "$@"; echo "status $?"; exec cat';
  const { screen, say, server } = await unseenScene(t, [], { script });
  say('\\x1b[2J你\\n'.replace('你', escaped('你')));
  await screen.ends('\\x1b[2J你');
  screen.type('hello');
  screen.press('Enter');
  await server.until(({ stdout }) => stdout.includes("received 'hello\\n'\n"));
  server.child.stdin.write('close\n');
  await screen.ends('hello', 'status 0');
});

test('sockeye connect on a dumb terminal says where it is connected, and when the peer has gone', {
  skip,
}, async (t) => {
  const server = await serve(t, [`unix:@dumb-${process.pid}`], '--hello', 'hello');
  const script = 'TERM=dumb "$0" "$@"; echo "status $?"; exec cat';
  const args = ['connect', addressOf(server)];
  const screen = new Screen(t, args, temporaryDirectory(t), { script });
  await screen.ends(
    `sockeye: connected to ${addressOf(server)}`,
    'hello',
    'sockeye: the peer closed the connection',
    'status 0',
  );
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

test('sockeye connect on a terminal says after Ctrl-D that a peer has not closed', {
  skip,
}, async (t) => {
  const server = startPython(
    t,
    `l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept(); sys.stdin.read()`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  const screen = new Screen(t, ['connect', `127.0.0.1:${port}`], temporaryDirectory(t));
  await screen.ends('>');
  screen.press('C-d');
  await screen.ends('the peer has not closed yet; Ctrl-C ends');
  screen.press('C-c');
  await screen.ends('^Cstatus 130');
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
