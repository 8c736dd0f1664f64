// What may stand in a terminal or a picture as it is. The rest could move the cursor, change
// colours, turn the line's direction round (bidi controls) or hide: C0, DEL, C1, U+061C, U+200B to
// U+200F, U+2028 to U+202E, U+2060 to U+206F, U+FEFF, surrogates without a partner, tags.
const unsafe =
  /[\p{Cc}\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Cs}/gu;

/**
 * Text from a packet, safe to show: control and direction characters become `\x1b` or `\u{202e}`,
 * a backslash becomes two, everything else stays.
 *
 * @example
 * ```ts
 * assert.equal(escapeText('a\u001b[31m 你'), 'a\\x1b[31m 你');
 * ```
 */
export function escapeText(text: string): string {
  return text.replaceAll('\\', '\\\\').replace(unsafe, escapeCharacter);
}

function escapeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  return code < 0x100 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u{${code.toString(16)}}`;
}
