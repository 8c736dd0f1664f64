// Rounds to figures. A ratio is taken within each round, where both peers ran
// under the same conditions, and the median of the ratios is what counts; the
// ratio of the medians would mix rounds.
import { median, spread } from './statistics.mjs';

const FIELDS = [
  'cpuUs',
  'clientCpuUs',
  'rate',
  'busy',
  'lost',
  'starved',
  'p50Us',
  'p99Us',
  'maxUs',
  'peakBytes',
  'bytesPerConnection',
];

function costOf(record) {
  return record.cpuUs ?? record.bytesPerConnection;
}

function ratio(rounds, otherRounds) {
  const ratios = rounds.flatMap((record, round) => {
    const other = otherRounds?.[round];
    return record && other && costOf(other) > 0 ? [costOf(record) / costOf(other)] : [];
  });
  return median(ratios);
}

function medians(rounds) {
  const present = rounds.filter(Boolean);
  const entries = FIELDS.map((field) => {
    const values = present.map((record) => record[field]).filter((value) => value !== undefined);
    return [field, median(values)];
  });
  return Object.fromEntries(entries.filter(([, value]) => value !== undefined));
}

/** Figures of one workload from `{ [peer]: records by round }` and `{ [peer]: label }`. */
export function summarize(roundsOfPeers, labels = {}) {
  return Object.entries(roundsOfPeers).map(([peer, rounds]) => ({
    peer,
    label: labels[peer],
    ...medians(rounds),
    spread: spread(rounds.filter(Boolean).map(costOf)),
    toNode: ratio(rounds, roundsOfPeers['node']),
    toC: ratio(rounds, roundsOfPeers['c']),
    rounds,
  }));
}
