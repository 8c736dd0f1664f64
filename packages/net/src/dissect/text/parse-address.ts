/**
 * The bytes of an address in text: 4 for `192.0.2.1`, 16 for `2001:db8::1` or `::ffff:192.0.2.1`;
 * undefined when it is neither. Zones (`%eth0`) and short IPv4 forms (`127.1`) are refused.
 *
 * @example
 * ```ts
 * assert.deepEqual(parseIpAddress('127.0.0.1'), Uint8Array.of(127, 0, 0, 1));
 * assert.equal(parseIpAddress('127.1'), undefined);
 * ```
 */
export function parseIpAddress(text: string): Uint8Array | undefined {
  return text.includes(':') ? parseIpv6(text) : parseIpv4(text);
}

function parseIpv4(text: string): Uint8Array | undefined {
  const parts = text.split('.');
  if (parts.length !== 4 || !parts.every((part) => /^\d{1,3}$/.test(part))) return undefined;
  const bytes = parts.map(Number);
  return bytes.every((byte) => byte <= 255) ? Uint8Array.from(bytes) : undefined;
}

function parseIpv6(text: string): Uint8Array | undefined {
  const halves = text.split('::');
  if (halves.length > 2) return undefined;
  const head = parseGroups(halves[0]!);
  const tail = halves.length === 2 ? parseGroups(halves[1]!) : [];
  if (head === undefined || tail === undefined) return undefined;
  const zeros = 16 - head.length - tail.length;
  // "::" stands for one group of zeros at least (RFC 4291 2.2).
  if (halves.length === 2 ? zeros < 2 : zeros !== 0) return undefined;
  return Uint8Array.from([...head, ...Array.from({ length: zeros }, () => 0), ...tail]);
}

function parseGroups(text: string): number[] | undefined {
  if (text === '') return [];
  const bytes: number[] = [];
  const groups = text.split(':');
  for (const [index, group] of groups.entries()) {
    if (group.includes('.') && index === groups.length - 1) {
      const ipv4 = parseIpv4(group);
      if (ipv4 === undefined) return undefined;
      bytes.push(...ipv4);
    } else if (/^[0-9a-f]{1,4}$/i.test(group)) {
      const value = Number.parseInt(group, 16);
      bytes.push(value >> 8, value & 0xff);
    } else return undefined;
  }
  return bytes;
}

/** The 6 bytes of a hardware address written with colons or hyphens; undefined when it is none. */
export function parseMacAddress(text: string): Uint8Array | undefined {
  const parts = text.split(/[:-]/);
  if (parts.length !== 6 || !parts.every((part) => /^[0-9a-f]{1,2}$/i.test(part))) return undefined;
  return Uint8Array.from(parts, (part) => Number.parseInt(part, 16));
}
