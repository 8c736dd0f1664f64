// The short check of CI: has Sockeye become dearer in comparison with Node's own
// net, measured in the same run? A machine's speed cancels out of that ratio;
// what is left of its noise is why only half as much again fails.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { benchDirectory } from './paths.mjs';
import { selectPeers } from './peers.mjs';
import { runRounds } from './rounds.mjs';
import { summarize } from './summarize.mjs';
import { selectWorkloads } from './workloads.mjs';

const BASELINE = join(benchDirectory, 'smoke-baseline.json');
const TOLERANCE = 1.5;
const WORKLOADS = 'tcp-echo-64x64,tcp-framed';
const PEERS = 'node,sockeye-serve,sockeye-framed,sockeye';
// Short enough for 30 s in all.
const TIMES = { seconds: 0.5, warmup: 0.5, windowMs: 1000, rounds: 3 };

function say(text) {
  process.stdout.write(`${text}\n`);
}

/** The peers that a check needs: those of the baseline, or all when it is recorded. */
function peersOf(baseline, workload) {
  const wanted = baseline?.[workload.name];
  return selectPeers(PEERS)
    .filter(({ id }) => id !== 'node-cork' && id !== 'sockeye-into')
    .filter(({ id }) => wanted === undefined || id === 'node' || id in wanted)
    .map((peer) => ({ peer }));
}

async function measureRatios(setup, baseline) {
  const ratios = {};
  for (const workload of selectWorkloads(WORKLOADS)) {
    const { results } = await runRounds(setup, workload, peersOf(baseline, workload));
    const figures = summarize(results).filter(({ peer, toNode }) => peer !== 'node' && toNode > 0);
    ratios[workload.name] = Object.fromEntries(figures.map(({ peer, toNode }) => [peer, toNode]));
  }
  return ratios;
}

function judge(name, peer, recorded, measured) {
  if (measured === undefined) {
    say(`not ok ${name} ${peer}: no figure; ${recorded.toFixed(2)} of Node was recorded`);
    return false;
  }
  const limit = recorded * TOLERANCE;
  const ok = measured <= limit;
  const figure = `${measured.toFixed(2)} of Node's CPU per message, limit ${limit.toFixed(2)}`;
  say(`${ok ? 'ok' : 'not ok'} ${name} ${peer}: ${figure}`);
  return ok;
}

function check(baseline, ratios) {
  const verdicts = Object.entries(baseline).flatMap(([name, recorded]) =>
    Object.entries(recorded).map(([peer, ratio]) => judge(name, peer, ratio, ratios[name]?.[peer])),
  );
  return verdicts.every(Boolean) ? 0 : 1;
}

function write(ratios) {
  const rounded = JSON.stringify(
    ratios,
    (_, value) => (typeof value === 'number' ? Number(value.toFixed(3)) : value),
    2,
  );
  writeFileSync(BASELINE, `${rounded}\n`);
  say(`recorded in ${BASELINE}:\n${rounded}`);
}

/** Runs the check, or records its baseline; the exit status. */
export async function smoke(setup, { record }) {
  const short = { ...setup, ...TIMES };
  if (record) {
    write(await measureRatios({ ...short, rounds: 7 }));
    return 0;
  }
  if (!existsSync(BASELINE))
    throw new Error('smoke-baseline.json is missing; --smoke --record makes one');
  const baseline = JSON.parse(readFileSync(BASELINE, 'utf8'));
  return check(baseline, await measureRatios(short, baseline));
}
