// Builds everything: the native core (only when its sources changed), the constants, TypeScript.
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { bundleCommands } from './bundle-commands.mjs';
import { generateConstants } from './generate-constants.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const native = join(root, 'packages/native');
const require = createRequire(import.meta.url);

function fail(sentence) {
  console.error(`sockeye: ${sentence}`);
  process.exit(1);
}

function found(command) {
  return spawnSync(command, ['--version'], { stdio: 'ignore' }).status === 0;
}

function requireTools() {
  const compiler = process.env.CXX ?? 'g++';
  if (!found(compiler)) {
    fail(
      `cannot build the native core: no C++ compiler (${compiler}); on Debian: apt-get install g++ make`,
    );
  }
  if (!found('make'))
    fail('cannot build the native core: make is missing; on Debian: apt-get install make');
  if (!found('python3')) {
    fail('cannot build the native core: python3 is missing; on Debian: apt-get install python3');
  }
}

/** The headers that came with the running node; node-gyp would fetch them from the network. */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, 'include/node/node_api.h')) ? prefix : undefined;
}

function sourcesHash() {
  const hash = createHash('sha256').update(`${process.version} ${process.arch}`);
  const files = ['binding.gyp', ...readdirSync(join(native, 'src')).map((name) => `src/${name}`)];
  for (const file of files.toSorted()) hash.update(file).update(readFileSync(join(native, file)));
  return hash.digest('hex');
}

function buildNative() {
  const stamp = join(native, 'build/sources.sha256');
  const hash = sourcesHash();
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === hash) return;
  requireTools();
  const headers = nodeHeaders();
  const args = ['rebuild', '--jobs=2', '--silent', ...(headers ? [`--nodedir=${headers}`] : [])];
  console.error('sockeye: building the native core (once; about ten seconds)');
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [require.resolve('node-gyp/bin/node-gyp.js'), ...args],
    {
      cwd: native,
      encoding: 'utf8',
      // node-gyp takes every npm_config_… variable for an option of its own, nodedir above all.
      env: Object.fromEntries(
        Object.entries(process.env).filter(([key]) => !/^npm_config_/i.test(key)),
      ),
    },
  );
  if (status !== 0) {
    process.stderr.write(`${stdout}${stderr}`);
    fail('cannot build the native core: the compiler reported the errors above');
  }
  writeFileSync(stamp, hash);
}

buildNative();
generateConstants();
try {
  execFileSync(process.execPath, [require.resolve('typescript/bin/tsc'), '-b'], {
    cwd: root,
    stdio: 'inherit',
  });
} catch {
  process.exit(1);
}
await bundleCommands();
