// Checks the format of the C++ and C sources; --write mends it.
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const clangFormat = createRequire(import.meta.url)('clang-format').getNativeBinary();
const listed = spawnSync('git', ['ls-files', '-co', '--exclude-standard', '*.cc', '*.h', '*.c'], {
  cwd: root,
  encoding: 'utf8',
});
const files = listed.stdout
  .split('\n')
  .filter(Boolean)
  .map((name) => join(root, name));
const mode = process.argv.includes('--write') ? ['-i'] : ['--dry-run', '-Werror'];
if (files.length > 0) {
  process.exit(
    spawnSync(clangFormat, [...mode, '--style=file', ...files], { stdio: 'inherit' }).status ?? 1,
  );
}
