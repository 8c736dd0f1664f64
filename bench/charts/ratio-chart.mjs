import { named } from './result-groups.mjs';
import { baseSpec, peerEncodings, peersOf, themeColour } from './style.mjs';

const ROW_PIXELS = 34;

/** A dot for each peer and workload: its CPU time as a share of Node's in the same rounds. */
export function ratioChart(results, theme) {
  const workloads = named(results).filter(({ figures }) =>
    figures.some(({ cpuUs, toNode }) => cpuUs !== undefined && toNode !== undefined),
  );
  const figures = workloads.flatMap(({ title, figures: rows }) =>
    rows
      .filter(({ toNode }) => toNode !== undefined)
      .map(({ peer, label, toNode }) => ({ title, peer, label, toNode }))
      // Drawn last, on top of whom it is close to.
      .sort((a, b) => a.peer.startsWith('sockeye') - b.peer.startsWith('sockeye')),
  );
  const y = {
    field: 'title',
    type: 'nominal',
    title: null,
    sort: workloads.map(({ title }) => title),
    axis: { grid: true, ticks: false, domain: false },
  };
  const x = {
    field: 'toNode',
    type: 'quantitative',
    scale: { type: 'log' },
    title: 'CPU time per message or MiB, of Node’s (logarithmic; further left is cheaper)',
    axis: {
      orient: 'top',
      format: '~r',
      values: [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20],
    },
  };
  return {
    ...baseSpec(theme, 'Server CPU in comparison with Node’s net and dgram'),
    width: 520,
    height: { step: ROW_PIXELS },
    data: { values: figures },
    layer: [
      {
        data: { values: [{ at: 1 }] },
        mark: { type: 'rule', color: themeColour(theme, 'faint'), strokeWidth: 1.5 },
        encoding: { x: { field: 'at', type: 'quantitative' } },
      },
      {
        mark: { type: 'point', filled: true, size: 85, opacity: 1 },
        encoding: { x, y, ...peerEncodings(peersOf(figures), theme) },
      },
    ],
  };
}
