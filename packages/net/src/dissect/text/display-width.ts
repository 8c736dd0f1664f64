// East Asian Wide and Fullwidth (UAX #11, Unicode 15.1), the blocks that matter, as ranges.
const wide: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x25fd, 0x25fe],
  [0x2614, 0x2615],
  [0x2648, 0x2653],
  [0x26a1, 0x26a1],
  [0x26bd, 0x26be],
  [0x2705, 0x2705],
  [0x270a, 0x270b],
  [0x274c, 0x274e],
  [0x2753, 0x2757],
  [0x2795, 0x2797],
  [0x2b1b, 0x2b1c],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];
const zeroWidth = /^[\p{Mn}\p{Me}\p{Cf}]$/u;

function codePointWidth(character: string): number {
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x300) return 1;
  if (zeroWidth.test(character)) return 0;
  return wide.some(([first, last]) => code >= first && code <= last) ? 2 : 1;
}

/**
 * Columns that escaped text takes in a terminal: 2 for a Chinese character, 0 for a combining mark.
 *
 * @example
 * ```ts
 * assert.equal(displayWidth('粘包 ok'), 7);
 * ```
 */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += codePointWidth(character);
  return width;
}

/**
 * Text cut to `columns`, an ellipsis in the last one where it was cut; never half a character.
 *
 * @example
 * ```ts
 * assert.equal(fitText('粘包和半包', 6), '粘包…');
 * ```
 */
export function fitText(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let fitted = '';
  let width = 0;
  for (const character of text) {
    const next = codePointWidth(character);
    if (width + next > columns - 1) break;
    fitted += character;
    width += next;
  }
  return columns > 0 ? `${fitted}…` : '';
}
