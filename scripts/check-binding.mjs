// Compares the TypeScript signature in the comment above each native function with binding.d.ts.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = join(dirname(dirname(fileURLToPath(import.meta.url))), 'packages/native');
const problems = [];

/** One spelling for one signature: no layout, no trailing comma. */
function normal(signature) {
  return signature
    .replace(/\s+/g, ' ')
    .replace(/,? ([)}\]])/g, '$1')
    .replace(/([({[]) /g, '$1')
    .replace(/;}/g, '}')
    .trim();
}

/** JavaScript name → C++ function, from the file's Export calls. */
function exportsOf(source) {
  const calls = source.matchAll(/\bExport\(env, exports, "(\w+)", (\w+)\)/g);
  return new Map([...calls].map(([, name, implementation]) => [name, implementation]));
}

/** The comment lines directly above a function, as one line of text. */
function commentAbove(source, implementation) {
  const head = new RegExp(
    `((?:^//.*\\n)*)^napi_value ${implementation}\\(napi_env env, napi_callback_info info\\)`,
    'm',
  );
  const comment = head.exec(source)?.[1] ?? '';
  return comment.replace(/^\/\/ ?/gm, '').replace(/\n/g, ' ');
}

/** The signature is the last thing in the comment; the man page's prototype may have its name too. */
function signatureIn(comment, name) {
  const at = [...comment.matchAll(new RegExp(`(?<!\\w)${name}\\(`, 'g'))].at(-1)?.index;
  return at === undefined ? undefined : normal(comment.slice(at));
}

function implemented() {
  const found = new Map();
  const files = readdirSync(join(native, 'src')).filter((name) => /^calls-.*\.cc$/.test(name));
  for (const file of files.toSorted()) {
    const source = readFileSync(join(native, 'src', file), 'utf8');
    for (const [name, implementation] of exportsOf(source)) {
      const where = `${file}, ${implementation}`;
      if (found.has(name)) problems.push(`${where}: ${name} is exported twice`);
      const signature = signatureIn(commentAbove(source, implementation), name);
      if (signature === undefined) {
        problems.push(`${where}: the comment above has no signature of ${name}`);
      }
      found.set(name, { where, signature });
    }
  }
  return found;
}

/** name → signature of each member of `interface Native`. */
function declared() {
  const text = readFileSync(join(native, 'binding.d.ts'), 'utf8').replace(/^\s*\/\/.*$/gm, '');
  const start = text.indexOf('interface Native {') + 'interface Native {'.length;
  const found = new Map();
  let depth = 1;
  let member = '';
  for (const letter of text.slice(start)) {
    if ('({['.includes(letter)) depth++;
    if (')}]'.includes(letter)) depth--;
    if (depth === 0) break;
    if (letter !== ';' || depth > 1) {
      member += letter;
      continue;
    }
    const signature = normal(member);
    found.set(/^\w+/.exec(signature)?.[0] ?? signature, signature);
    member = '';
  }
  return found;
}

const sources = implemented();
const declarations = declared();
for (const [name, { where, signature }] of sources) {
  const other = declarations.get(name);
  if (other === undefined) problems.push(`${where}: binding.d.ts doesn't declare ${name}`);
  else if (signature !== undefined && signature !== other) {
    problems.push(`${where}: the comment says\n    ${signature}\n  and binding.d.ts\n    ${other}`);
  }
}
for (const name of declarations.keys()) {
  if (!sources.has(name)) problems.push(`binding.d.ts: no source exports ${name}`);
}
if (problems.length > 0) {
  console.error(problems.join('\n'));
  console.error(`check-binding: ${problems.length} differences`);
  process.exit(1);
}
console.log(`check-binding: ${sources.size} functions agree`);
