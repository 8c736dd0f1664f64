// Runs the @example of every docstring of @sockeye/net, and every block of TypeScript with an assertion
// in docs/: each has to end without an error.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'packages/net/src');
const dist = join(root, 'packages/net/dist');
const ts = createRequire(import.meta.url)('typescript');
const AsyncFunction = (async () => {}).constructor;
const TIMEOUT_MS = 30_000;
// What an example may use beside the package's exports.
const globals = { assert, once };

/** The examples of a file as { place, code }. */
function examplesOf(file) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/\/\*\*[\s\S]*?\*\//g)].flatMap((comment) =>
    comment[0]
      .split('@example')
      .slice(1)
      .map((part) => ({
        file,
        place: `${relative(root, file)}:${text.slice(0, comment.index).split('\n').length}`,
        code: part
          .split('\n')
          .slice(1)
          .map((line) => line.replace(/^\s*\* ?/, '').replace(/\*?\/$/, ''))
          // The next tag, or the source that some docstrings name last.
          .join('\n')
          .split(/^(?:@|Source:)/m)[0]
          .replace(/^```\w*$/gm, ''),
      }))
      // A module of its own, such as a worker's handler, can't run in here; tests run those.
      .filter(({ code }) => !code.includes('import.meta')),
  );
}

/** What an example may name: everything the package exports, and its own file's exports. */
async function scopeOf(file) {
  const own = file.endsWith('.md') ? [] : [relative(source, file).replace(/\.ts$/, '.js')];
  const topics = readdirSync(dist).map((topic) => join(topic, 'index.js'));
  const paths = [...topics, 'index.js', ...own];
  const present = paths.map((path) => join(dist, path)).filter((path) => existsSync(path));
  const modules = await Promise.all(present.map((path) => import(path)));
  return Object.assign({}, ...modules, globals);
}

/** The runnable blocks of a page: those that assert something. */
function blocksOf(file) {
  const text = readFileSync(file, 'utf8');
  return [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)]
    .filter(([, code]) => code.includes('assert'))
    .map((match) => ({
      file,
      place: `${relative(root, file)}:${text.slice(0, match.index).split('\n').length}`,
      // What a page imports is in scope already.
      code: match[1].replace(/^import [^;]*;$/gm, ''),
    }));
}

async function run({ code }, scope) {
  const names = Object.keys(scope);
  const options = { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext };
  const { outputText } = ts.transpileModule(`async function example() {${code}\n}`, {
    compilerOptions: options,
  });
  const example = new AsyncFunction(
    ...names,
    `${outputText.replace(/export \{\};/, '')}; await example();`,
  );
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`not done after ${TIMEOUT_MS} ms`)), TIMEOUT_MS);
  });
  await Promise.race([example(...Object.values(scope)), late]).finally(() => clearTimeout(timer));
}

const files = readdirSync(source, { recursive: true })
  .filter((name) => name.endsWith('.ts') && !/\.test\.|^testing\//.test(name))
  .map((name) => join(source, name));
const pages = readdirSync(join(root, 'docs'), { recursive: true })
  .filter((name) => name.endsWith('.md'))
  .map((name) => join(root, 'docs', name));
const examples = [...files.flatMap(examplesOf), ...pages.flatMap(blocksOf)];
let failed = 0;
for (const example of examples) {
  try {
    await run(example, await scopeOf(example.file));
  } catch (error) {
    failed++;
    console.error(`${example.place}: ${error.stack?.split('\n').slice(0, 2).join(' ') ?? error}`);
  }
}
console.log(`${examples.length} examples of docstrings and pages, ${failed} failed`);
process.exit(failed > 0 ? 1 : 0);
