import { formatIpv4, parseIpv4 } from './ipv4-text.ts';
import { read16, read32, write16, write32 } from './sockaddr.ts';

const LENGTH = 16;
const COLON = 0x3a;
const DOT = 0x2e;

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x61 + 10 : -1;
}

/** Moves what follows the `::` to the end; false if it stands for nothing, as glibc demands. */
function expand(target: Uint8Array, offset: number, gap: number, length: number): boolean {
  if (gap < 0) return length === LENGTH;
  if (length === LENGTH) return false;
  const tail = length - gap;
  target.copyWithin(offset + LENGTH - tail, offset + gap, offset + length);
  target.fill(0, offset + gap, offset + LENGTH - tail);
  return true;
}

/**
 * Writes the 16 bytes of an IPv6 address at `offset`; false if the text is none, in the judgement of
 * inet_pton(3). The bytes are undefined then.
 */
export function parseIpv6(
  text: string,
  target: Uint8Array,
  offset: number,
  end = text.length,
): boolean {
  let length = 0;
  let gap = -1;
  let group = 0;
  let digits = 0;
  let i = text.charCodeAt(0) === COLON ? 1 : 0;
  if (i === 1 && text.charCodeAt(1) !== COLON) return false;
  while (i < end) {
    const code = text.charCodeAt(i);
    const digit = hexDigit(code);
    i += 1;
    if (digit >= 0) {
      if (digits === 4) return false;
      group = (group << 4) | digit;
      digits += 1;
    } else if (code === COLON && digits === 0) {
      if (gap >= 0) return false;
      gap = length;
    } else if (code === COLON) {
      if (i === end || length === LENGTH) return false;
      write16(target, offset + length, group);
      length += 2;
      group = 0;
      digits = 0;
    } else {
      // A dotted quad; its first number was taken for a group.
      const quad = code === DOT ? parseIpv4(text, i - 1 - digits, end) : -1;
      if (quad < 0 || length > LENGTH - 4) return false;
      write32(target, offset + length, quad);
      return expand(target, offset, gap, length + 4);
    }
  }
  if (digits > 0) {
    if (length === LENGTH) return false;
    write16(target, offset + length, group);
    length += 2;
  }
  return expand(target, offset, gap, length);
}

/** The first longest run of zero groups, if it has two or more: RFC 5952, section 4.2. */
function longestZeroRun(bytes: Uint8Array, offset: number): { start: number; length: number } {
  let best = { start: -1, length: 1 };
  let start = 0;
  for (let group = 0; group < 8; group += 1) {
    if (read16(bytes, offset + 2 * group) !== 0) start = group + 1;
    else if (group + 1 - start > best.length) best = { start, length: group + 1 - start };
  }
  return best;
}

function hexGroups(bytes: Uint8Array, offset: number, from: number, to: number): string {
  const groups = [];
  for (let group = from; group < to; group += 1) {
    groups.push(read16(bytes, offset + 2 * group).toString(16));
  }
  return groups.join(':');
}

/** As glibc prints it: RFC 5952, and a dotted quad in mapped and compatible addresses. */
function compose(bytes: Uint8Array, offset: number): string {
  const { start, length } = longestZeroRun(bytes, offset);
  if (start === 0 && length === 6) return `::${formatIpv4(read32(bytes, offset + 12))}`;
  if (start === 0 && length === 5 && read16(bytes, offset + 10) === 0xffff) {
    return `::ffff:${formatIpv4(read32(bytes, offset + 12))}`;
  }
  if (start < 0) return hexGroups(bytes, offset, 0, 8);
  return `${hexGroups(bytes, offset, 0, start)}::${hexGroups(bytes, offset, start + length, 8)}`;
}

// As in ipv4-text.ts; building the text took 410 ns, finding it 41.
const slots = 256;
const cachedWords = new Uint32Array(4 * slots);
const cachedTexts = Array.from<string>({ length: slots });

/** The text of the 16 bytes at `offset`, as inet_ntop(3) gives it. */
export function formatIpv6(bytes: Uint8Array, offset: number): string {
  const a = read32(bytes, offset);
  const b = read32(bytes, offset + 4);
  const c = read32(bytes, offset + 8);
  const d = read32(bytes, offset + 12);
  const slot =
    Math.imul(a ^ Math.imul(b, 31) ^ Math.imul(c, 961) ^ Math.imul(d, 29791), 0x9e3779b1) >>> 24;
  const at = 4 * slot;
  const cached = cachedTexts[slot];
  const isHit =
    cachedWords[at] === a &&
    cachedWords[at + 1] === b &&
    cachedWords[at + 2] === c &&
    cachedWords[at + 3] === d;
  if (cached !== undefined && isHit) return cached;
  const text = compose(bytes, offset);
  cachedTexts[slot] = text;
  cachedWords.set([a, b, c, d], at);
  return text;
}
