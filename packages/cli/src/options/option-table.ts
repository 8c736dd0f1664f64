import type { OptionRow } from './option-row.ts';

const GAP = 2;
// Narrower than this the values would be a column of syllables: let the terminal wrap.
const MIN_VALUE_WIDTH = 24;

/**
 * The rows as a table; a value that is longer than the line goes on below itself.
 *
 * Only ASCII and µ come into it, which take a column each.
 *
 * @param width columns; Infinity, for a pipe, keeps each row on its lines
 */
export function optionTable(rows: readonly OptionRow[], width: number): string {
  const columns = (['level', 'name', 'access'] as const).map((key) =>
    Math.max(key.length, ...rows.map((row) => row[key].length)),
  );
  const indent = columns.reduce((sum, column) => sum + column + GAP, 0);
  const room = width - indent < MIN_VALUE_WIDTH ? Number.POSITIVE_INFINITY : width - indent;
  const header = { level: 'LEVEL', name: 'NAME', access: 'ACCESS', value: 'VALUE' };
  const lines = [header, ...rows].map(({ level, name, access, value }) => {
    const cells = [level, name, access].map((cell, i) => cell.padEnd((columns[i] ?? 0) + GAP));
    const pieces = value.split('\n').flatMap((line) => wrap(line, room));
    return `${cells.join('')}${pieces.join(`\n${' '.repeat(indent)}`)}`;
  });
  return lines.map((line) => `${line}\n`).join('');
}

/** Cuts text between words into lines of at most `width`; a word that is longer stays whole. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) line = longer;
    else {
      if (line !== '') lines.push(line);
      line = word;
    }
  }
  return [...lines, line];
}
