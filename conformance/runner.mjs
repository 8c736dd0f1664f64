import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

// Most tests wait for a peer or a clock: more processes than processors.
const PROCESSES = 3;
const STDERR_KEPT = 8000;
const groups = new Set();

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const pid of groups) killGroup(pid);
    process.exit(1);
  });
}

function byClass(ids) {
  const classes = new Map();
  for (const id of ids) {
    const name = id.slice(0, id.lastIndexOf('.'));
    classes.set(name, [...(classes.get(name) ?? []), id]);
  }
  return [...classes.values()];
}

/** What a test forked and left behind would hold the pipes open. */
function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

/** Runs one process over tests; resolves to the one during which it died, if it did. */
function runProcess(kind, ids, results, { python, script, module, limit, sync }) {
  const directory = mkdtempSync(join(tmpdir(), 'sockeye-conformance-'));
  const names = join(directory, 'names');
  writeFileSync(names, ids.join('\n'));
  return new Promise((resolve, reject) => {
    const child = spawn(python, [script, kind, 'run', module, String(limit), names], {
      stdio: ['ignore', 'pipe', 'pipe'],
      // Tests make files in the working directory.
      cwd: directory,
      env: sync ? { ...process.env, SOCKEYE_SYNC: '1' } : process.env,
      // A group of its own: a test that hangs may have forked.
      detached: true,
    });
    let stderr = '';
    let running;
    child.stderr.on('data', (text) => {
      stderr = (stderr + text).slice(-STDERR_KEPT);
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      const result = JSON.parse(line);
      running = result.status === 'started' ? result.id : undefined;
      if (result.status !== 'started') results.set(result.id, result);
    });
    child.on('error', reject);
    groups.add(child.pid);
    child.on('exit', () => {
      groups.delete(child.pid);
      killGroup(child.pid);
    });
    child.on('close', (code) => {
      rmSync(directory, { recursive: true, force: true });
      if (running !== undefined) {
        const detail = `the process ended (${code}): over ${limit} s, or a crash\n${stderr}`;
        results.set(running, { id: running, status: 'timeout', detail });
      } else if (code !== 0) {
        reject(new Error(`Cannot run tests: ${python} ended with ${code}\n${stderr}`));
      }
      resolve(running);
    });
  });
}

async function runClass(kind, ids, results, settings) {
  let left = ids;
  while (left.length > 0) {
    await runProcess(kind, left, results, settings);
    const next = left.filter((id) => !results.has(id));
    if (next.length === left.length) throw new Error(`Cannot run tests: none of ${ids[0]} … ran`);
    left = next;
  }
}

/** Runs tests with the 'real' module or the 'bridge'; gives a map from id to what came of it. */
export async function runTests(kind, ids, settings) {
  const results = new Map();
  const queue = byClass(ids);
  const work = async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      await runClass(kind, next, results, settings);
    }
  };
  await Promise.all(Array.from({ length: PROCESSES }, work));
  return results;
}
