// The order of a run: for each workload its rounds, in each round every peer
// once, so that a change of the machine's mood hits all of them alike.
import { measure } from './measure.mjs';
import { RoleUnavailable } from './server-process.mjs';

function say(text) {
  process.stderr.write(`${text}\n`);
}

const reported = new Set();

/** The same reason at every workload is said once. */
function report(workload, turn, reason) {
  const text = `${turn.id}: ${turn.state}: ${reason}`;
  if (turn.state === 'skipped' && reported.has(text)) return;
  reported.add(text);
  say(`  ${workload.name} ${text}`);
}

/** A peer that shares out its work in both ways takes a turn with each. */
function waysOf({ peer }, count) {
  return (peer.spreads ?? []).map((way) => ({
    id: way === 'threads' ? `${peer.id}-threads` : peer.id,
    label: `${peer.label}, ${way}`,
    peer,
    roleArguments: [`--${way}`, `${count}`],
    state: 'ready',
  }));
}

function turnsFor(workload, available) {
  if (workload.spread) return available.flatMap((entry) => waysOf(entry, workload.spread));
  return available.map(({ peer }) => ({ id: peer.id, label: peer.label, peer, state: 'ready' }));
}

async function takeTurn(setup, workload, turn) {
  if (turn.state !== 'ready') return null;
  try {
    const command = turn.peer.command(workload.role);
    if (command === undefined) return null;
    return await measure(setup, workload, [...command, ...(turn.roleArguments ?? [])]);
  } catch (error) {
    turn.state = error instanceof RoleUnavailable ? 'skipped' : 'FAILED';
    report(workload, turn, error.message);
    return null;
  }
}

function hasResult(rounds) {
  return rounds.some((record) => record !== null);
}

/**
 * Of one workload: `results`, `{ [peer]: records by round }`, the `labels` of the peers and the
 * `failures`; a peer that fails once is left out from then on.
 */
export async function runRounds(setup, workload, available) {
  const turns = turnsFor(workload, available);
  const results = Object.fromEntries(turns.map(({ id }) => [id, []]));
  for (let round = 0; round < setup.rounds; round++) {
    if (setup.verbose) say(`  ${workload.name}: round ${round + 1} of ${setup.rounds}`);
    for (const turn of turns) results[turn.id].push(await takeTurn(setup, workload, turn));
  }
  const failures = turns.filter(({ state }) => state === 'FAILED').map(({ id }) => id);
  const entries = Object.entries(results).filter(([, rounds]) => hasResult(rounds));
  const labels = Object.fromEntries(turns.map(({ id, label }) => [id, label]));
  return { results: Object.fromEntries(entries), labels, failures };
}
