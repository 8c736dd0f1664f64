import assert from 'node:assert/strict';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { COMMAND, missing, Running, temporaryDirectory } from '../command.test.util.ts';
import { Screen } from '../screen.test.util.ts';

const skip = missing('tmux');

/** A terminal of 40 columns in which `receive` waits for the sender of a file of 8 MB. */
async function receiving(t: TestContext, ...flags: string[]) {
  const directory = temporaryDirectory(t);
  const at = (name: string): string => join(directory, name);
  mkdirSync(at('inbox'));
  writeFileSync(at('文件'), Buffer.alloc(8_000_000, 'x'));
  const words = ['receive', at('inbox'), '--insecure', '--port-file', at('port'), ...flags];
  const screen = new Screen(t, words, directory);
  await screen.shows(/sockeye send PATH/);
  const address = `127.0.0.1:${readFileSync(at('port'), 'utf8').trim()}`;
  return { at, screen, address };
}

function send(t: TestContext, ...words: string[]): Running {
  return new Running(t, process.execPath, [COMMAND, 'send', ...words, '--insecure']);
}

test('receive asks; a yes takes the offer', { skip }, async (t) => {
  const { at, screen, address } = await receiving(t, '--once');
  const sender = send(t, at('文件'), address);
  await screen.shows(
    /offers 1 file or directo\nry, 8,000,000 bytes:\n {2}文件\ntake them\? \[y\/N\]$/,
  );
  screen.type('y');
  screen.press('Enter');
  await screen.shows(/^status 0$/m);
  assert.equal((await sender.exit()).status, 0);
  assert.equal(readFileSync(at('inbox/文件')).length, 8_000_000);
});

for (const [key, status] of [
  ['C-c', /^status 130$/m],
  ['C-d', /declined the offer from/],
] as const) {
  test(`${key} where receive asks declines, and is no failure`, { skip }, async (t) => {
    const { at, screen, address } = await receiving(t);
    const sender = send(t, at('文件'), address);
    await screen.shows(/take them\? \[y\/N\]$/);
    screen.press(key);
    const { stderr } = await sender.exit();
    assert.match(stderr, /declined/);
    await screen.shows(status);
    assert.doesNotMatch(screen.lines().join('\n'), /Aborted|at \[|did not end well/);
    assert.equal(existsSync(at('inbox/文件')), false);
  });
}

for (const [key, status, words] of [
  ['C-c', 130, ''],
  ['C-d', 2, 'no secret was given: the other side shows it'],
] as const) {
  test(`${key} at the secret's prompt ends send with ${status}`, { skip }, async (t) => {
    const directory = temporaryDirectory(t);
    writeFileSync(join(directory, 'file'), 'x');
    const screen = new Screen(t, ['send', join(directory, 'file'), '127.0.0.1:9'], directory);
    await screen.shows(/^secret \(not shown\):$/m);
    screen.press(key);
    await screen.shows(new RegExp(`^status ${status}$`, 'm'));
    const text = screen.lines().join(' ');
    assert.ok(text.includes(words), text);
    assert.doesNotMatch(text, /Aborted|Error/);
  });
}

test('send says that it waits for the answer, and no longer once it is there', {
  skip,
}, async (t) => {
  const { at, screen: receiver, address } = await receiving(t);
  const sender = new Screen(t, ['send', at('文件'), address, '--insecure'], at('inbox'));
  await receiver.shows(/take them\? \[y\/N\]$/);
  await sender.shows(/^waiting for the other side to accept$/m);
  receiver.type('y');
  receiver.press('Enter');
  await sender.shows(/^status 0$/m);
  assert.doesNotMatch(sender.lines().join('\n'), /waiting/);
});

test('progress is one line on a narrow terminal, and an end wipes it', { skip }, async (t) => {
  const { at, address } = await receiving(t, '--yes');
  const words = ['send', at('文件'), address, '--insecure', '--rate', '2M'];
  const screen = new Screen(t, words, at('inbox'));
  await screen.shows(/^\d+% .* s left$/m);
  const shown = screen.lines().filter((line) => line.includes('%'));
  assert.equal(shown.length, 1, shown.join('\n'));
  screen.press('C-c');
  await screen.shows(/^status 130$/m);
  const text = screen.lines().join('\n');
  assert.match(text, /^sockeye: interrupted; the same command a\ngain goes on$/m);
  assert.doesNotMatch(text, /%/);
});
