import { test, type TestContext } from 'node:test';
import {
  missing,
  PYTHON_TALK,
  type Running,
  startPython,
  temporaryDirectory,
} from '../command.test.util.ts';
import { Screen } from '../screen.test.util.ts';

const skip = missing('tmux');

interface Scene {
  readonly screen: Screen;
  readonly name: string;
}

let scenes = 0;

/** `sockeye listen` at an abstract name, short enough for the screen, in a terminal. */
async function scene(t: TestContext, ...args: string[]): Promise<Scene> {
  const name = `listen-${process.pid}-${scenes++}`;
  const screen = new Screen(t, ['listen', `unix:@${name}`, ...args], temporaryDirectory(t));
  await screen.ends(`listening on unix:@${name}`);
  return { screen, name };
}

/** A client in Python's hands that sends what it reads, and says what it receives. */
async function client(t: TestContext, name: string): Promise<Running> {
  const running = startPython(
    t,
    `c = socket.socket(socket.AF_UNIX); c.connect('\\0' + sys.argv[1]); print('there')
${PYTHON_TALK}`,
    name,
  );
  await running.until(({ stdout }) => stdout.includes('there\n'));
  return running;
}

test('sockeye listen on a terminal is a conversation once somebody came', { skip }, async (t) => {
  const { screen, name } = await scene(t);
  const peer = await client(t, name);
  await screen.ends(`listening on unix:@${name}`, 'connected to unix:(unnamed); Ctrl-D ends', '>');
  screen.type('你好, half');
  await screen.ends('> 你好, half');
  peer.child.stdin.write(String.raw`\x1b[2Jfrom the peer\n` + '\n');
  await screen.ends(String.raw`\x1b[2Jfrom the peer`, '> 你好, half');
  screen.press('Enter');
  await peer.until(({ stdout }) => stdout.includes("received '你好, half\\n'\n"));
  peer.child.stdin.write('close\n');
  await screen.ends('> 你好, half', 'the peer closed the connection', 'status 0');
});

test('sockeye listen on a terminal exits 130 on Ctrl-C before anybody came', {
  skip,
}, async (t) => {
  const { screen } = await scene(t);
  screen.press('C-c');
  await screen.ends('^Cstatus 130');
});

test('sockeye listen on a terminal exits 130 on Ctrl-C in a conversation', { skip }, async (t) => {
  const { screen, name } = await scene(t);
  const peer = await client(t, name);
  await screen.ends('>');
  screen.press('C-c');
  await screen.ends('status 130');
  await peer.until(({ stdout }) => stdout.includes('received the end'));
});

test('sockeye listen --keep on a terminal goes on with the next, and ends with 0 on Ctrl-C', {
  skip,
}, async (t) => {
  const { screen, name } = await scene(t, '--keep');
  for (const word of ['first', 'second']) {
    const peer = await client(t, name);
    peer.child.stdin.write(`${word}\\n\n`);
    await screen.ends(word);
    screen.type(`to the ${word}`);
    screen.press('Enter');
    await peer.until(({ stdout }) => stdout.includes(`received 'to the ${word}\\n'\n`));
    peer.child.stdin.end('close\n');
    await peer.exit();
  }
  screen.press('C-c');
  await screen.ends('^Cstatus 0');
});

test('sockeye listen udp:// on a terminal ends on Ctrl-D before anybody spoke', {
  skip,
}, async (t) => {
  const screen = new Screen(t, ['listen', 'udp://127.0.0.1:0'], temporaryDirectory(t));
  await screen.ends('lines go to who spoke last; Ctrl-D ends', '>');
  screen.press('C-d');
  await screen.ends('lines go to who spoke last; Ctrl-D ends', 'status 0');
});

test('sockeye listen udp:// on a terminal answers who spoke', { skip }, async (t) => {
  const directory = temporaryDirectory(t);
  const screen = new Screen(t, ['listen', 'udp://127.0.0.1:0'], directory);
  await screen.ends('lines go to who spoke last; Ctrl-D ends', '>');
  const port = /:(\d+)$/m.exec(screen.lines().join('\n'))?.[1];
  const peer = startPython(
    t,
    `s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.connect(('127.0.0.1', int(sys.argv[1])))
s.send('你好'.encode()); print(repr(s.recv(1000)))`,
    port as string,
  );
  await screen.ends('你好', '>');
  screen.type('hello');
  screen.press('Enter');
  await peer.until(({ stdout }) => stdout.toString() === "b'hello'\n");
});
