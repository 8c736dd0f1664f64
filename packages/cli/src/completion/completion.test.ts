import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { missing, Running, run, temporaryDirectory } from '../command.test.util.ts';

async function script(t: TestContext, shell: string): Promise<string> {
  const { status, stdout, stderr } = await run(t, ['completion', shell]);
  assert.deepEqual([status, stderr], [0, '']);
  const file = join(temporaryDirectory(t), '_sockeye');
  writeFileSync(file, stdout);
  return file;
}

/** What bash offers for the last of the words. */
async function bash(t: TestContext, file: string, ...words: string[]): Promise<string[]> {
  const program = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _sockeye; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const { stdout, stderr } = await new Running(t, 'bash', ['-c', program, file, ...words]).exit();
  assert.equal(stderr, '');
  return stdout.trim().split('\n');
}

test('sockeye completion bash completes commands, options, files and words', {
  skip: missing('bash'),
}, async (t) => {
  const file = await script(t, 'bash');
  assert.deepEqual(await bash(t, file, 'sockeye', 'conn'), ['connect']);
  assert.deepEqual(await bash(t, file, 'sockeye', 'serve', '--gree'), ['--greeting']);
  assert.ok((await bash(t, file, 'sockeye', 'listen', 'x:1', '--')).includes('--keep'));
  assert.ok((await bash(t, file, 'sockeye', 'connect', 'unix')).includes('unix-dgram://'));
  assert.deepEqual(await bash(t, file, 'sockeye', 'connect', '--cert', file.slice(0, -2)), [file]);
  assert.deepEqual(await bash(t, file, 'sockeye', 'completion', ''), ['bash', 'zsh', 'fish']);
  assert.deepEqual(await bash(t, file, 'sockeye', 'connect', '--timeout', ''), ['']);
});

test('sockeye completion fish completes commands and options', {
  skip: missing('fish'),
}, async (t) => {
  const file = await script(t, 'fish');
  const offered = async (line: string): Promise<string> => {
    const program = 'source $argv[1]; complete -C $argv[2]';
    const fish = new Running(t, 'fish', ['--no-config', '-c', program, file, line]);
    const { stdout, stderr } = await fish.exit();
    assert.equal(stderr, '');
    return stdout;
  };
  assert.match(await offered('sockeye conn'), /^connect\ttalk to a server/);
  assert.match(await offered('sockeye forward --proxy'), /^--proxy-protocol\t/m);
  assert.match(await offered('sockeye completion z'), /^zsh/m);
});

test('sockeye completion zsh is loaded by zsh and completes', {
  skip: missing('zsh') || missing('tmux'),
}, async (t) => {
  const file = await script(t, 'zsh');
  // zsh completes for a terminal only: its module zpty gives it one.
  const program = `zmodload zsh/zpty
zpty z zsh -f -i
zpty -w z 'PS1=; unsetopt zle_bracketed_paste; fpath=('\${1:h}' $fpath); autoload -Uz compinit; compinit -u -D; echo re""ady'
zpty -r z out '*ready*'
zpty -w -n z $'sockeye forward --proxy-pro\\t'
zpty -r z out '*--proxy-protocol*' && print found
zpty -d z`;
  const zsh = new Running(t, 'zsh', ['-f', '-c', program, 'zsh', file], { TERM: 'dumb' });
  assert.match((await zsh.exit()).stdout, /found/);
});
