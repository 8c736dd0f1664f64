import { hkdfSync, randomBytes } from 'node:crypto';
import { TransferError } from '../transfer-error.ts';

// Crockford's alphabet: none of i, l, o, u, which are misread or spell words.
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz';
const OURS = new RegExp(`^[${ALPHABET}]*$`);
const GROUPS = 8;
const GROUP_LETTERS = 4;
/** 26 letters of 5 bits are the first to reach 128 (safety.md 19 and the protocol's page). */
const MIN_LETTERS = 26;
// A text of fewer different letters is a word or a pattern, not random. Arbitrary.
const MIN_DISTINCT = 8;
const KEY_BYTES = 32;

/** A new pairing secret of 160 bits, in groups that can be read aloud. */
export function generateSecret(): string {
  const letters = Array.from(randomBytes(GROUPS * GROUP_LETTERS), (byte) => ALPHABET[byte % 32]);
  const group = (i: number) => letters.slice(i * GROUP_LETTERS, (i + 1) * GROUP_LETTERS).join('');
  return Array.from({ length: GROUPS }, (_, i) => group(i)).join('-');
}

/**
 * The key of a pairing secret. Spaces, dashes and line ends don't count, nor does the case of a
 * secret of ours.
 *
 * @throws TransferError `secret` for a text that can't have 128 bits; it doesn't repeat the text
 */
export function secretKey(secret: string): Buffer {
  const packed = secret.replace(/[\s-]/g, '');
  const lower = packed.toLowerCase();
  const letters = OURS.test(lower) ? lower : packed;
  if (letters.length < MIN_LETTERS || new Set(letters).size < MIN_DISTINCT) {
    throw new TransferError(
      'secret',
      `Cannot use secret: it has ${letters.length} letters, at least ${MIN_LETTERS} random ones are needed`,
    );
  }
  const key = hkdfSync('sha256', letters, '', 'sockeye-transfer 1 psk', KEY_BYTES);
  return Buffer.from(key);
}
