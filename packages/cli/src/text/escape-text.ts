// C0 and DEL drive the terminal, C1 are the same in one character; the bidirectional controls and
// the line separators make a line look like another (Unicode TR36, "Bidirectional Text Spoofing").
const DANGEROUS =
  // oxlint-disable-next-line no-control-regex, no-misleading-character-class -- they are what is looked for
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/gu;

/** What `escapeText` leaves as it is. */
export interface EscapeOptions {
  /** Characters that stay; a newline and a tab if omitted. */
  readonly keep?: string;
}

/**
 * Makes a peer's text safe for a terminal or a log: what would control it becomes `\x1b` or `\u202e`.
 *
 * @example
 * assert.equal(escapeText('\x1b[2J你好\n'), '\\x1b[2J你好\n');
 */
export function escapeText(text: string, { keep = '\n\t' }: EscapeOptions = {}): string {
  return text.replace(DANGEROUS, (character) =>
    keep.includes(character) ? character : escaped(character),
  );
}

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  if (character === '\n') return '\\n';
  if (character === '\r') return '\\r';
  if (character === '\t') return '\\t';
  return code < 0x100
    ? `\\x${code.toString(16).padStart(2, '0')}`
    : `\\u${code.toString(16).padStart(4, '0')}`;
}
