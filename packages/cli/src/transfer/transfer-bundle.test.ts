import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BUNDLE = new URL('transfer-commands.bundle.js', import.meta.url);

/** Modules that the bundle was made of, as the build left them. */
function modules(): string[] {
  const map = JSON.parse(readFileSync(fileURLToPath(BUNDLE) + '.map', 'utf8')) as {
    sources: string[];
  };
  const compiled = map.sources.map((source) =>
    source.replace(/\/src\/(.*)\.ts$/, '/dist/$1.js').replace(/^(?!\.\.?\/)/, './'),
  );
  return compiled.map((source) => fileURLToPath(new URL(source, BUNDLE)));
}

test('what send, receive and verify load is one file, made of the modules as they are now', () => {
  const made = statSync(BUNDLE).mtimeMs;
  const all = modules();
  for (const name of ['cli/dist/transfer/send-command.js', 'net/dist/transfer/send-files.js']) {
    assert.ok(
      all.some((path) => path.endsWith(name)),
      name,
    );
  }
  // The one copy of what decides the exit status is the program's.
  assert.ok(!all.some((path) => path.endsWith('cli/dist/command-error.js')));
  const newer = all.filter((path) => statSync(path).mtimeMs > made);
  assert.deepEqual(newer, [], 'npm run build makes the bundle anew');
});
