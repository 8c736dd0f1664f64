const DOT = '.';
/** The greatest last number after so many dots: it fills the bytes that are left. */
const limits = [0xffffffff, 0xffffff, 0xffff, 0xff];

/** A number as strtoul(3) reads one with base 0: `0x` hexadecimal, `0` octal, else decimal. */
const number = /0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*/y;

/** What isspace(3) says in the C locale. */
const space = /[ \t\n\v\f\r]/;

function readNumber(text: string, start: number): { value: number; end: number } | undefined {
  number.lastIndex = start;
  const digits = number.exec(text)?.[0];
  if (digits === undefined) return undefined;
  const isOctal = /^0[0-7]/.test(digits);
  const value = isOctal ? Number.parseInt(digits, 8) : Number(digits);
  return { value, end: start + digits.length };
}

/**
 * The number that inet_aton(3) of glibc finds at the start of a text, or undefined.
 *
 * One to four numbers, each decimal, octal or hexadecimal; the last fills the bytes that are left. As
 * in glibc, white space ends the address and whatever follows it is ignored.
 */
export function parseLegacyIpv4(text: string): number | undefined {
  let high = 0;
  let position = 0;
  for (let dots = 0; dots < limits.length; dots += 1) {
    const found = readNumber(text, position);
    if (found === undefined) return undefined;
    const next = text[found.end];
    if (next === DOT) {
      if (found.value > 0xff) return undefined;
      high = high * 256 + found.value;
      position = found.end + 1;
    } else {
      if (next !== undefined && !space.test(next)) return undefined;
      if (found.value > (limits[dots] ?? 0)) return undefined;
      return high * 256 ** (4 - dots) + found.value;
    }
  }
  return undefined;
}
