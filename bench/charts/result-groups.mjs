import { GROUPS } from '../lib/workloads.mjs';

const UNITS = { '': 1, k: 1 << 10, m: 1 << 20 };

// What a growing workload's name says of how far it has grown.
const STEPS = {
  connections: (name) => Number(/x(\d+)$/.exec(name)[1]),
  sizes: (name) => {
    const [, count, unit] = /-(\d+)([km]?)x/.exec(name);
    return count * UNITS[unit];
  },
  processes: (name) => Number(/p(\d+)$/.exec(name)[1]),
};

function inGroup({ workloads }, group) {
  return workloads.filter(({ name }) => GROUPS[group].includes(name));
}

/** The workloads of a result file that a run without --only measures. */
export function named(results) {
  return inGroup(results, 'named');
}

/** Peers that were measured at several steps, or all where there is one step. */
function lasting(workloads) {
  const peers = workloads.flatMap(({ figures }) => figures.map(({ peer }) => peer));
  const times = Math.min(2, workloads.length);
  return new Set(peers.filter((peer) => peers.filter((one) => one === peer).length >= times));
}

/** The workloads of a group of growing work as `{ step, title, per, figures }`, smallest first. */
export function growing(results, group) {
  const workloads = inGroup(results, group);
  const peers = lasting(workloads);
  return workloads
    .map((workload) => ({
      ...workload,
      step: STEPS[group](workload.name),
      figures: workload.figures.filter(({ peer }) => peers.has(peer)),
    }))
    .sort((a, b) => a.step - b.step);
}
