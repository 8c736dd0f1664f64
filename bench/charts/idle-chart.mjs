import { baseSpec, peerEncodings, peersOf, themeColour } from './style.mjs';

/** A bar for each peer: the memory of one idle connection. */
export function idleChart(results, theme) {
  const idle = results.workloads.find(({ name }) => name === 'idle');
  if (idle === undefined) return undefined;
  const figures = idle.figures.map(({ peer, label, bytesPerConnection }) => ({
    peer,
    label,
    bytesPerConnection,
  }));
  const { color } = peerEncodings(peersOf(figures), theme);
  const y = { field: 'label', type: 'nominal', title: null, sort: 'x', axis: { ticks: false } };
  const x = {
    field: 'bytesPerConnection',
    type: 'quantitative',
    title: 'resident bytes for each connection (logarithmic)',
    // A bar on a logarithmic scale needs a foot; no connection is that small.
    scale: { type: 'log', domainMin: 10 },
    axis: { format: ',', values: [10, 100, 1000, 10_000, 100_000] },
  };
  const text = { field: 'bytesPerConnection', type: 'quantitative', format: ',.0f' };
  return {
    ...baseSpec(theme, 'Memory of an idle TCP connection'),
    width: 520,
    height: { step: 26 },
    data: { values: figures },
    layer: [
      {
        mark: { type: 'bar' },
        encoding: { y, x, x2: { datum: 10 }, color: { ...color, legend: null } },
      },
      {
        mark: { type: 'text', align: 'left', dx: 5, color: themeColour(theme, 'text') },
        encoding: { y, x, text },
      },
    ],
  };
}
