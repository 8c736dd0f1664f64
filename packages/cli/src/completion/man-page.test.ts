import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { missing, Running, run } from '../command.test.util.ts';

const PAGE = fileURLToPath(new URL('../../man/sockeye.1', import.meta.url));
const COMMANDS = [
  'serve',
  'connect',
  'listen',
  'forward',
  'ping',
  'bench',
  'options',
  'send',
  'receive',
  'verify',
  'capture',
  'read',
  'sockets',
  'explain',
  'completion',
];
const skip = missing('mandoc');

test('man/sockeye.1 is a page without a warning of mandoc', { skip }, async (t) => {
  const { stdout } = await new Running(t, 'mandoc', ['-T', 'lint', '-W', 'warning', PAGE]).exit();
  assert.equal(stdout, '');
});

test('man/sockeye.1 names only commands and options that there are', async (t) => {
  const source = readFileSync(PAGE, 'utf8');
  const options = new Set(source.match(/(?<=\.It Fl |Fl )-[a-z][a-z-]*/g));
  const helps = await Promise.all(COMMANDS.map((name) => run(t, [name, '--help'])));
  const help = helps.map(({ stdout }) => stdout).join('\n');
  for (const name of COMMANDS) assert.match(source, new RegExp(`^\\.It Cm ${name}$`, 'm'));
  assert.ok(options.size > 40);
  for (const option of options) assert.match(help, new RegExp(`-${option}\\b`), option);
});
