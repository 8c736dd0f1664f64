import { escapeText } from '../text/escape-text.ts';

// Arbitrary: enough to recognise what was typed, on one line of a terminal.
const MAX_SHOWN = 60;

/** An address that was typed wrong. The message names the part and the form that was expected. */
export class AddressSyntaxError extends Error {
  readonly code = 'ERR_ADDRESS_SYNTAX';
  /** The whole address. */
  readonly text: string;
  /** The form that was expected, such as `host:port`. */
  readonly expected: string;

  /** @param problem the part that is wrong, and why, in a few words */
  constructor(text: string, problem: string, expected: string) {
    super(`Cannot read address ${quote(text)}: ${problem}; expected ${expected}`);
    this.text = text;
    this.expected = expected;
  }

  override get name(): string {
    return 'AddressSyntaxError';
  }
}

/** A part of what was typed, in quotes, on one line and not too long. */
export function quote(part: string): string {
  const characters = Array.from(part.slice(0, MAX_SHOWN + 1).replace(/\p{Surrogate}/gu, '\ufffd'));
  const cut = part.length > MAX_SHOWN;
  const shown = cut ? `${characters.slice(0, MAX_SHOWN - 1).join('')}…` : characters.join('');
  return `"${escapeText(shown, { keep: '' })}"`;
}
