const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

function fixed(digits) {
  return (value) => value.toFixed(digits);
}

function percent(value) {
  return `±${(value * 100).toFixed(0)} %`;
}

const WORK_COLUMNS = [
  ['CPU µs', 'cpuUs', fixed(2)],
  ['spread', 'spread', percent],
  ['of Node', 'toNode', fixed(2)],
  ['of C', 'toC', fixed(2)],
  ['per second', 'rate', (value) => COUNT.format(value)],
  ['busy', 'busy', fixed(2)],
  ['p50 µs', 'p50Us', fixed(0)],
  ['p99 µs', 'p99Us', fixed(0)],
  ['peak MiB', 'peakBytes', (value) => (value / (1 << 20)).toFixed(0)],
  ['lost', 'lost', (value) => COUNT.format(value)],
  ['starved', 'starved', (value) => COUNT.format(value)],
];

// Shown only where there is one.
const RARE = new Set(['lost', 'starved']);

// Idle connections have only memory.
const IDLE_COLUMNS = [
  ['bytes', 'bytesPerConnection', (value) => COUNT.format(value)],
  ['spread', 'spread', percent],
  ['of Node', 'toNode', fixed(2)],
];

function isWorthShowing(field, value) {
  return RARE.has(field) ? value > 0 : value !== undefined;
}

function cells(columns, figures) {
  return columns.map(([, field, format]) => {
    const value = figures[field];
    return value === undefined ? '' : format(value);
  });
}

/** The table of a workload's figures: rows of text, the head first; the first column names the peer. */
export function tableRows(figures) {
  const idle = figures.some(({ bytesPerConnection }) => bytesPerConnection !== undefined);
  const used = (idle ? IDLE_COLUMNS : WORK_COLUMNS).filter(([, field]) =>
    figures.some((row) => isWorthShowing(field, row[field])),
  );
  const head = ['', ...used.map(([title]) => title)];
  return [head, ...figures.map((row) => [row.label, ...cells(used, row)])];
}
