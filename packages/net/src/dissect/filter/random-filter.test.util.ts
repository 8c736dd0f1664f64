import type { Randomness } from '../mutate.test.util.ts';

const primitives: readonly string[] = [
  ...['ip', 'ip6', 'arp', 'tcp', 'udp', 'sctp', 'icmp', 'icmp6', 'igmp', 'ip multicast'],
  ...['ip host ADDRESS', 'host ADDRESS', 'DIRECTION host ADDRESS', 'DIRECTION ADDRESS'],
  ...['host ADDRESS6', 'ip6 DIRECTION host ADDRESS6', 'net 192.0.2.0/24', 'net 2001:db8::/32'],
  ...['DIRECTION net 198.51.100.0/24', 'net 192.0', 'arp host ADDRESS'],
  ...['port PORT', 'DIRECTION port PORT', 'tcp port PORT', 'udp DIRECTION port PORT'],
  ...['portrange PORT-PORT', 'tcp DIRECTION portrange PORT-PORT', 'port PORT or PORT'],
  ...[
    'tcp port (PORT or PORT)',
    'host (ADDRESS or ADDRESS)',
    'ip proto NUMBER',
    'ip6 proto NUMBER',
  ],
  ...[
    'proto NUMBER',
    'greater NUMBER',
    'less NUMBER',
    'VALUE COMPARE VALUE',
    'VALUE COMPARE NUMBER',
  ],
  ...['VALUE COMPARE NUMBER', 'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0'],
];

const values: readonly string[] = [
  ...[
    'len',
    'NUMBER',
    'ip[NUMBER]',
    'ip[2:2]',
    'tcp[13]',
    'tcp[0:2]',
    'udp[4:2]',
    'icmp[0]',
    'ip6[6]',
  ],
  ...['ether[12:2]', '(VALUE OPERATOR NUMBER)', '(VALUE OPERATOR VALUE)', 'ip[ip[0] & 0xf]'],
  ...['tcp[((tcp[12] & 0xf0) >> 2)]', 'VALUE OPERATOR NUMBER'],
];

const words: Readonly<Record<string, readonly string[]>> = {
  ADDRESS6: ['2001:db8::1', '2001:db8:0:1::7', '::1'],
  ADDRESS: ['192.0.2.1', '198.51.100.7', '192.0.2.9', '0.0.0.0'],
  DIRECTION: ['src', 'dst', 'src or dst', 'src and dst'],
  PORT: ['53', '80', '443', '40001', '50000', '50001', '8765'],
  NUMBER: ['1', '2', '5', '6', '17', '20', '40', '58', '64', '0x11', '255'],
  COMPARE: ['=', '==', '!=', '<', '>', '<=', '>='],
  // libpcap 1.10.3 folds constants wrongly for some shifts, and has no unary minus in all places.
  OPERATOR: ['+', '-', '*', '/', '%', '&', '|', '^'],
  VALUE: values,
};

const placeholder = /ADDRESS6|ADDRESS|DIRECTION|PORT|NUMBER|COMPARE|OPERATOR|VALUE/;

function pick(list: readonly string[], random: Randomness): string {
  return list[random.below(list.length)]!;
}

/** A filter that is right by the grammar: primitives joined, negated and in parentheses. */
export function randomFilter(random: Randomness, depth = 3): string {
  const kind = depth === 0 ? 0 : random.below(6);
  const inner = (): string => randomFilter(random, depth - 1);
  if (kind === 1) return `${inner()} and ${inner()}`;
  if (kind === 2) return `${inner()} or ${inner()}`;
  if (kind === 3) return `not ${inner()}`;
  if (kind === 4) return `(${inner()})`;
  return filled(pick(primitives, random), random);
}

function filled(template: string, random: Randomness): string {
  let text = template;
  for (let rounds = 0; rounds < 40; rounds++) {
    const name = placeholder.exec(text)?.[0];
    if (name === undefined) return text;
    // Deep values end in numbers, so that every template ends.
    const list = name === 'VALUE' && rounds > 10 ? words['NUMBER'] : words[name];
    text = text.replace(name, pick(list ?? [], random));
  }
  return text;
}
