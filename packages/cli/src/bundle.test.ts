import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const BUNDLE = new URL('bundle/', import.meta.url);

/** Modules that the bundle was made of, as the build left them. */
function modules(): string[] {
  const maps = readdirSync(BUNDLE).filter((name) => name.endsWith('.map'));
  const sources = maps.flatMap((name) => {
    const text = readFileSync(new URL(name, BUNDLE), 'utf8');
    return (JSON.parse(text) as { sources: string[] }).sources;
  });
  const compiled = sources.map((source) =>
    source
      .replace(/^\.\.\/\.\.\/src\/(.*)\.ts$/, '../$1.js')
      .replace(/\/src\/(.*)\.ts$/, '/dist/$1.js'),
  );
  return [...new Set(compiled)].map((source) => fileURLToPath(new URL(source, BUNDLE)));
}

test('what the commands load is a few files, made of the modules as they are now', () => {
  const made = statSync(new URL('connect-command.js', BUNDLE)).mtimeMs;
  const all = modules();
  for (const name of ['cli/dist/connect/pipe.js', 'net/dist/transfer/send-files.js']) {
    assert.ok(
      all.some((path) => path.endsWith(name)),
      name,
    );
  }
  // The one copy of what decides the exit status is the program's.
  assert.ok(!all.some((path) => path.endsWith('cli/dist/command-error.js')));
  assert.ok(!all.some((path) => path.endsWith('cli/dist/serve/serve-command.js')));
  const newer = all.filter((path) => statSync(path).mtimeMs > made);
  assert.deepEqual(newer, [], 'npm run build makes the bundle anew');
});
