// One look for all charts: a peer has the same colour and shape everywhere, told apart by both; a
// chart brings its own background, so that it can be read wherever it is shown.
const THEMES = {
  light: { background: '#ffffff', text: '#1f2328', faint: '#59636e', grid: '#d8dee4' },
  dark: { background: '#0d1117', text: '#f0f6fc', faint: '#9198a1', grid: '#30363d' },
};
export const themes = Object.keys(THEMES);

const BLUE = { light: '#0550ae', dark: '#58a6ff' };
const CYAN = { light: '#1b7c83', dark: '#76e3ea' };
const INDIGO = { light: '#7048e8', dark: '#b197fc' };
const GREY = { light: '#57606a', dark: '#b1bac4' };
const GREEN = { light: '#1a7f37', dark: '#3fb950' };
const ORANGE = { light: '#bc4c00', dark: '#ffa657' };
const PINK = { light: '#bf3989', dark: '#ff9bce' };
const RED = { light: '#a40e26', dark: '#ff7b72' };
const YELLOW = { light: '#7d6a00', dark: '#e3c341' };
const SOLID = [1, 0];
const DASHED = [5, 3];

const SERIES = {
  c: { colour: GREY, shape: 'cross' },
  node: { colour: GREEN, shape: 'circle' },
  'node-cork': { colour: GREEN, shape: 'triangle-down' },
  sockeye: { colour: BLUE, shape: 'circle' },
  'sockeye-into': { colour: CYAN, shape: 'square' },
  'sockeye-serve': { colour: INDIGO, shape: 'triangle-up' },
  'sockeye-framed': { colour: BLUE, shape: 'diamond' },
  'sockeye-framed-batches': { colour: CYAN, shape: 'diamond' },
  bun: { colour: PINK, shape: 'square' },
  deno: { colour: RED, shape: 'diamond' },
  go: { colour: ORANGE, shape: 'triangle-up' },
  python: { colour: YELLOW, shape: 'circle' },
  'python-threads': { colour: YELLOW, shape: 'triangle-down' },
};
const ORDER = Object.keys(SERIES);

function looks(peer) {
  const own = SERIES[peer];
  return own === undefined
    ? { ...SERIES[peer.replace(/-threads$/, '')], dash: DASHED }
    : { ...own, dash: SOLID };
}

// `sockeye-threads` follows `sockeye`, `python-threads` has a place of its own.
function rank(peer) {
  const own = ORDER.indexOf(peer);
  return own < 0 ? ORDER.indexOf(peer.replace(/-threads$/, '')) + 0.5 : own;
}

/** The peers of some figures as `{ peer, label }`, in the order of every legend. */
export function peersOf(figures) {
  const labels = new Map(figures.map(({ peer, label }) => [peer, label]));
  return [...labels]
    .map(([peer, label]) => ({ peer, label }))
    .sort((a, b) => rank(a.peer) - rank(b.peer));
}

function scale(peers, of) {
  return { domain: peers.map(({ label }) => label), range: peers.map(({ peer }) => of(peer)) };
}

/** Encodings that draw each peer in its looks; `line` adds the dash of threads. */
export function peerEncodings(peers, theme, { line = false } = {}) {
  const channel = (of) => ({
    field: 'label',
    type: 'nominal',
    title: null,
    scale: scale(peers, of),
  });
  const encodings = {
    color: channel((peer) => looks(peer).colour[theme]),
    shape: channel((peer) => looks(peer).shape),
  };
  return line ? { ...encodings, strokeDash: channel((peer) => looks(peer).dash) } : encodings;
}

/** What all charts of a theme share. */
export function baseSpec(theme, title, subtitle) {
  const { background, text, faint, grid } = THEMES[theme];
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    background,
    padding: 12,
    title: { text: title, subtitle, anchor: 'start', offset: 14 },
    config: {
      font: 'system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif',
      title: { color: text, subtitleColor: faint, fontSize: 15, subtitleFontSize: 12 },
      axis: {
        labelColor: text,
        titleColor: faint,
        gridColor: grid,
        domainColor: grid,
        tickColor: grid,
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: 'normal',
        labelLimit: 0,
      },
      legend: { labelColor: text, labelFontSize: 12, symbolSize: 70, labelLimit: 0 },
      view: { stroke: null },
    },
  };
}

/** A colour of the theme: `text`, `faint`, `grid` or `background`. */
export function themeColour(theme, name) {
  return THEMES[theme][name];
}
