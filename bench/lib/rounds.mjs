// The order of a run: for each workload its rounds, in each round every peer
// once, so that a change of the machine's mood hits all of them alike.
import { measure } from './measure.mjs';
import { RoleUnavailable } from './server-process.mjs';

function say(text) {
  process.stderr.write(`${text}\n`);
}

function commandsFor(workload, available) {
  return available.flatMap(({ peer }) => {
    const command = peer.command(workload.role);
    return command === undefined ? [] : [{ id: peer.id, command, state: 'ready' }];
  });
}

async function takeTurn(setup, workload, turn) {
  if (turn.state !== 'ready') return null;
  try {
    return await measure(setup, workload, turn.command);
  } catch (error) {
    turn.state = error instanceof RoleUnavailable ? 'skipped' : 'FAILED';
    say(`  ${workload.name} ${turn.id}: ${turn.state}: ${error.message}`);
    return null;
  }
}

function hasResult(rounds) {
  return rounds.some((record) => record !== null);
}

/** `{ [peer]: records by round }` of one workload; a peer that fails once is left out from then on. */
export async function runRounds(setup, workload, available) {
  const turns = commandsFor(workload, available);
  const results = Object.fromEntries(turns.map(({ id }) => [id, []]));
  for (let round = 0; round < setup.rounds; round++) {
    if (setup.verbose) say(`  ${workload.name}: round ${round + 1} of ${setup.rounds}`);
    for (const turn of turns) results[turn.id].push(await takeTurn(setup, workload, turn));
  }
  const failures = turns.filter(({ state }) => state === 'FAILED').map(({ id }) => id);
  const entries = Object.entries(results).filter(([, rounds]) => hasResult(rounds));
  return { results: Object.fromEntries(entries), failures };
}
