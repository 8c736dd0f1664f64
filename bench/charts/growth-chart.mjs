import { growing } from './result-groups.mjs';
import { baseSpec, peerEncodings, peersOf } from './style.mjs';

const MIB = 1 << 20;

const SIZE_LABEL =
  "datum.value >= 1048576 ? datum.value / 1048576 + ' MiB' : datum.value >= 1024 ? datum.value / 1024 + ' KiB' : datum.value + ' B'";

const AXES = {
  connections: { title: 'connections', axis: { format: ',' }, scale: { type: 'log' } },
  sizes: {
    title: 'message size, 16 connections',
    axis: { labelExpr: SIZE_LABEL },
    scale: { type: 'log', base: 4 },
  },
  processes: {
    title: 'processes or threads on one port, 512 connections',
    axis: { format: 'd' },
    scale: { type: 'log', base: 2 },
  },
};

const MEASURES = {
  cpu: { of: ({ cpuUs }) => cpuUs, title: 'server CPU, µs a message' },
  p99: { of: ({ p99Us }) => p99Us, title: 'p99 latency, µs' },
  memory: { of: ({ peakBytes }) => peakBytes / MIB, title: 'peak resident memory, MiB' },
  rate: { of: ({ rate }) => rate, title: 'messages a second' },
};

/** The charts of cost as work grows, by name. */
export const growthCharts = [
  {
    name: 'connections',
    group: 'connections',
    measure: 'cpu',
    log: true,
    title: 'TCP echo 64 B: CPU by connections',
  },
  {
    name: 'connections-p99',
    group: 'connections',
    measure: 'p99',
    log: true,
    title: 'TCP echo 64 B: latency by connections',
  },
  {
    name: 'connections-memory',
    group: 'connections',
    measure: 'memory',
    log: true,
    title: 'TCP echo 64 B: memory by connections',
  },
  {
    name: 'sizes',
    group: 'sizes',
    measure: 'cpu',
    log: true,
    title: 'TCP echo: CPU by message size',
  },
  {
    name: 'processes',
    group: 'processes',
    measure: 'cpu',
    title: 'TCP echo 64 B: CPU by processes and threads',
  },
  {
    name: 'processes-rate',
    group: 'processes',
    measure: 'rate',
    title: 'TCP echo 64 B: rate by processes and threads',
  },
];

/** A line for each peer over the steps of a group. */
export function growthChart(results, theme, { group, measure, log = false, title }) {
  const { of, title: measureTitle } = MEASURES[measure];
  const workloads = growing(results, group);
  const figures = workloads.flatMap(({ step, figures: rows }) =>
    rows.map((row) => ({ step, peer: row.peer, label: row.label, value: of(row) })),
  );
  const { axis, ...x } = AXES[group];
  const steps = workloads.map(({ step }) => step);
  return {
    ...baseSpec(theme, title, log ? 'both axes logarithmic' : 'logarithmic from left to right'),
    width: 520,
    height: 340,
    data: { values: figures },
    mark: { type: 'line', strokeWidth: 2, point: { filled: true, size: 60 } },
    encoding: {
      x: {
        field: 'step',
        type: 'quantitative',
        ...x,
        axis: { ...axis, values: steps, labelOverlap: false, labelFlush: false },
      },
      y: {
        field: 'value',
        type: 'quantitative',
        title: measureTitle,
        scale: log ? { type: 'log', nice: false } : { zero: true },
        axis: { tickCount: 6, format: ',~r' },
      },
      ...peerEncodings(peersOf(figures), theme, { line: true }),
    },
  };
}
