// Formatting an address costs 100 to 500 ns, a packet has four, and a capture repeats few of them:
// small direct-mapped caches, overwritten on collision, keep that off the hot path.
const slots = 1024; // arbitrary: holds the hosts of a usual capture, 3 caches of about 100 KB

const ipv4Keys = new Float64Array(slots).fill(-1);
const ipv4Texts: string[] = Array.from({ length: slots }, () => '');

/** The dotted form of the 4 bytes at `at`, which must exist. */
export function ipv4Text(bytes: Uint8Array, at: number): string {
  const a = bytes[at] as number;
  const b = bytes[at + 1] as number;
  const c = bytes[at + 2] as number;
  const d = bytes[at + 3] as number;
  const key = ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
  const slot = (key ^ (key >>> 10) ^ (key >>> 20)) & (slots - 1);
  if (ipv4Keys[slot] === key) return ipv4Texts[slot] as string;
  const text = `${a}.${b}.${c}.${d}`;
  ipv4Keys[slot] = key;
  ipv4Texts[slot] = text;
  return text;
}

const ipv6Keys = new Uint32Array(slots * 4);
const ipv6Texts: (string | undefined)[] = Array.from({ length: slots }, () => undefined);

function word(bytes: Uint8Array, at: number): number {
  return (
    (((bytes[at] as number) << 24) |
      ((bytes[at + 1] as number) << 16) |
      ((bytes[at + 2] as number) << 8) |
      (bytes[at + 3] as number)) >>>
    0
  );
}

/** The RFC 5952 form of the 16 bytes at `at`, which must exist. */
export function ipv6Text(bytes: Uint8Array, at: number): string {
  const a = word(bytes, at);
  const b = word(bytes, at + 4);
  const c = word(bytes, at + 8);
  const d = word(bytes, at + 12);
  const mixed = Math.imul(a ^ Math.imul(b ^ Math.imul(c ^ Math.imul(d, 31), 31), 31), 0x9e3779b1);
  const slot = mixed >>> 22;
  const base = slot * 4;
  const cached = ipv6Texts[slot];
  if (
    cached !== undefined &&
    ipv6Keys[base] === a &&
    ipv6Keys[base + 1] === b &&
    ipv6Keys[base + 2] === c &&
    ipv6Keys[base + 3] === d
  ) {
    return cached;
  }
  const text = compressedIpv6(bytes, at);
  ipv6Keys.set([a, b, c, d], base);
  ipv6Texts[slot] = text;
  return text;
}

function compressedIpv6(bytes: Uint8Array, at: number): string {
  const groups = Array.from(
    { length: 8 },
    (_, index) => ((bytes[at + 2 * index] as number) << 8) | (bytes[at + 2 * index + 1] as number),
  );
  if (groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff) {
    return `::ffff:${ipv4Text(bytes, at + 12)}`;
  }
  const zeros = longestZeroRun(groups);
  const text = (part: number[]): string => part.map((group) => group.toString(16)).join(':');
  if (zeros.length < 2) return text(groups);
  return `${text(groups.slice(0, zeros.start))}::${text(groups.slice(zeros.start + zeros.length))}`;
}

/** RFC 5952 4.2.3: the longest run, the first of equal ones. */
function longestZeroRun(groups: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < groups.length; start++) {
    let length = 0;
    while (groups[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

const macHigh = new Uint32Array(slots);
const macLow = new Uint32Array(slots);
const macTexts: (string | undefined)[] = Array.from({ length: slots }, () => undefined);

/** The colon form of the 6 bytes at `at`, which must exist. */
export function macText(bytes: Uint8Array, at: number): string {
  const high = ((bytes[at] as number) << 8) | (bytes[at + 1] as number);
  const low = word(bytes, at + 2);
  const slot = (low ^ (low >>> 10) ^ (low >>> 20) ^ high) & (slots - 1);
  const cached = macTexts[slot];
  if (cached !== undefined && macHigh[slot] === high && macLow[slot] === low) return cached;
  const text = Array.from(bytes.subarray(at, at + 6), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join(':');
  macHigh[slot] = high;
  macLow[slot] = low;
  macTexts[slot] = text;
  return text;
}
