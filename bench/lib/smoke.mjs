// The short check of CI: has Sockeye become dearer in comparison with Node's own
// net, measured in the same run? A machine's speed cancels out of that ratio;
// what is left of its noise is why only half as much again fails, and only in a
// second look with more rounds.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { judge } from './judge.mjs';
import { benchDirectory } from './paths.mjs';
import { peers } from './peers.mjs';
import { runRounds } from './rounds.mjs';
import { summarize } from './summarize.mjs';
import { selectWorkloads } from './workloads.mjs';

const BASELINE = join(benchDirectory, 'smoke-baseline.json');
// Short enough for 30 s in all.
const TIMES = { seconds: 0.5, warmup: 0.4, windowMs: 900 };
const ROUNDS = { first: 3, second: 7, record: 9 };
const CHECKED = {
  'tcp-echo-64x64': ['sockeye', 'sockeye-serve'],
  'tcp-framed': ['sockeye-framed'],
  'udp-echo': ['sockeye-into'],
};

function say(text) {
  process.stdout.write(`${text}\n`);
}

/** `{ [peer]: ratio to Node }` of one workload. */
async function measureRatios(setup, name, ids) {
  const available = peers.filter(({ id }) => id === 'node' || ids.includes(id));
  const [workload] = selectWorkloads(name);
  const { results } = await runRounds(
    setup,
    workload,
    available.map((peer) => ({ peer })),
  );
  const figures = summarize(results).filter(({ peer, toNode }) => peer !== 'node' && toNode > 0);
  return Object.fromEntries(figures.map(({ peer, toNode }) => [peer, toNode]));
}

function judgeAll(name, recorded, ratios) {
  return Object.entries(recorded).map(([peer, ratio]) => {
    const { ok, text } = judge(ratio, ratios[peer]);
    return { peer, ok, text: `${name} ${peer}: ${text}` };
  });
}

/** Whether one workload costs no more than was recorded; what seems to is measured again. */
async function check(setup, name, recorded) {
  const ratios = await measureRatios(
    { ...setup, rounds: ROUNDS.first },
    name,
    Object.keys(recorded),
  );
  const first = judgeAll(name, recorded, ratios);
  for (const { ok, text } of first) say(ok ? `ok ${text}` : `once more: ${text}`);
  const doubtful = first.filter(({ ok }) => !ok).map(({ peer }) => peer);
  if (doubtful.length === 0) return true;
  const again = await measureRatios({ ...setup, rounds: ROUNDS.second }, name, doubtful);
  const subset = Object.fromEntries(doubtful.map((peer) => [peer, recorded[peer]]));
  const second = judgeAll(name, subset, again);
  for (const { ok, text } of second) say(`${ok ? 'ok' : 'not ok'} ${text}`);
  return second.every(({ ok }) => ok);
}

async function checkAll(setup) {
  if (!existsSync(BASELINE)) {
    throw new Error('smoke-baseline.json is missing; --smoke --record makes one');
  }
  let failed = false;
  for (const [name, recorded] of Object.entries(JSON.parse(readFileSync(BASELINE, 'utf8')))) {
    if (!(await check(setup, name, recorded))) failed = true;
  }
  return failed ? 1 : 0;
}

async function record(setup) {
  const recorded = {};
  for (const [name, ids] of Object.entries(CHECKED)) {
    recorded[name] = await measureRatios({ ...setup, rounds: ROUNDS.record }, name, ids);
  }
  const rounded = (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value);
  const text = JSON.stringify(recorded, rounded, 2);
  writeFileSync(BASELINE, `${text}\n`);
  say(`recorded in ${BASELINE}:\n${text}`);
  return 0;
}

/** Runs the check, or records its baseline; the exit status. */
export function smoke(setup, options) {
  const short = { ...setup, ...TIMES };
  return options.record ? record(short) : checkAll(short);
}
