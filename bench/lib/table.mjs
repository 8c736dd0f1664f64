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
  ['lost', 'lost', (value) => COUNT.format(value)],
  ['starved', 'starved', (value) => COUNT.format(value)],
];

// Shown only where there is one.
const RARE = new Set(['lost', 'starved']);

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

function layOut(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i])))
        .join('  '),
    )
    .join('\n');
}

/** The figures of one workload as text. */
export function table(workload, figures, labels) {
  const columns = workload.hold ? IDLE_COLUMNS : WORK_COLUMNS;
  const used = columns.filter(([, field]) =>
    figures.some((row) => isWorthShowing(field, row[field])),
  );
  const head = ['', ...used.map(([title]) => title)];
  const body = figures.map((row) => [labels[row.peer], ...cells(used, row)]);
  return `${workload.title}, per ${workload.per}\n${layOut([head, ...body])}\n`;
}
