// Runs CPython's own socket tests against the library; README.md says how.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { runTests } from './runner.mjs';
import { report } from './report.mjs';

const here = import.meta.dirname;
const python = process.env.SOCKEYE_PYTHON ?? 'python3';
// The longest test took 9.2 s here; those that hang with the real module too cost the limit twice.
const DEFAULT_LIMIT_S = 30;

function parse(argv) {
  const options = { module: 'test.test_socket', limit: DEFAULT_LIMIT_S, patterns: [] };
  for (const argument of argv) {
    const [name, value] = argument.split('=');
    if (name === '--smoke') options.smoke = true;
    else if (name === '--sync') options.sync = true;
    else if (name === '--verbose') options.verbose = true;
    else if (name === '--module') options.module = value;
    else if (name === '--limit') options.limit = Number(value);
    else if (name.startsWith('--')) throw new Error(`Cannot run: option ${name} is not known`);
    else options.patterns.push(argument);
  }
  return options;
}

function readJson(name) {
  return JSON.parse(readFileSync(join(here, name), 'utf8'));
}

function select(ids, { patterns, smoke }) {
  const smokePatterns = smoke ? readJson('smoke.json').tests : [];
  const wanted = [...patterns, ...smokePatterns];
  const idle = wanted.filter((word) => !ids.some((id) => id.includes(word)));
  if (idle.length > 0) {
    console.error(`no test matches: ${idle.join(' ')}`);
    process.exit(1);
  }
  return ids.filter((id) => wanted.length === 0 || wanted.some((word) => id.includes(word)));
}

const options = parse(process.argv.slice(2));
const list = execFileSync(python, [join(here, 'run_tests.py'), 'real', 'list', options.module], {
  encoding: 'utf8',
  stdio: ['ignore', 'pipe', 'inherit'],
});
const ids = select(list.split('\n').filter(Boolean), options);
// A part of the tests, or another module's, says nothing of entries that no test has.
options.whole =
  ids.length === list.split('\n').filter(Boolean).length &&
  !process.argv.some((word) => word.startsWith('--module'));
const settings = { python, script: join(here, 'run_tests.py'), ...options };
const started = performance.now();
const bridge = await runTests('bridge', ids, settings);
const notPassed = ids.filter((id) => bridge.get(id).status !== 'passed');
// What passes needs no comparison; the rest counts only if the real module does better.
const real = await runTests('real', notPassed, settings);
const expected = readJson('expected-differences.json');
const failed = report({ ids, bridge, real, expected, options });
console.log(`${((performance.now() - started) / 1000).toFixed(0)} s`);
process.exit(failed ? 1 : 0);
