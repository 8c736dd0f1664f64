/** TCP's flag bits (RFC 9293 3.1) in the 12-bit field as tshark counts it: data offset excluded. */
export const tcpFlag = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ece: 0x40,
  cwr: 0x80,
  ae: 0x100,
} as const;

const order: readonly (readonly [number, string])[] = [
  [tcpFlag.syn, 'SYN'],
  [tcpFlag.fin, 'FIN'],
  [tcpFlag.rst, 'RST'],
  [tcpFlag.psh, 'PSH'],
  [tcpFlag.ack, 'ACK'],
  [tcpFlag.urg, 'URG'],
  [tcpFlag.ece, 'ECE'],
  [tcpFlag.cwr, 'CWR'],
  [tcpFlag.ae, 'AE'],
];

const texts = Array.from({ length: 0x200 }, (_, flags) =>
  order
    .filter(([bit]) => (flags & bit) !== 0)
    .map(([, name]) => name)
    .join('+'),
);

/**
 * The set flags in words: `SYN+ACK`, `FIN+ACK`, `PSH+ACK`, `none`.
 *
 * @example
 * ```ts
 * assert.equal(tcpFlagText(0x12), 'SYN+ACK');
 * ```
 */
export function tcpFlagText(flags: number): string {
  return texts[flags & 0x1ff] || 'none';
}
