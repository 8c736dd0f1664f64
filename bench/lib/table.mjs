import { tableRows } from './table-rows.mjs';

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
export function table(workload, figures) {
  return `${workload.title}, per ${workload.per}\n${layOut(tableRows(figures))}\n`;
}
