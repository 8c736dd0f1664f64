import type { PacketReader } from '../packet-reader.ts';

// RFC 1035 2.3.4: 255 bytes, so at most 127 labels of one byte and a length each.
const maxNameBytes = 255;
const maxLabels = 127;

/** A decoded name: its text, its length as text, and the number of its labels. */
export interface DnsName {
  readonly text: string;
  readonly length: number;
  readonly labels: number;
}

/**
 * Reads a name with its compression pointers (RFC 1035 4.1.4); the cursor ends behind the name
 * where it stands.
 *
 * Pointers must point backwards, before the part that they end: so each step gets nearer to the
 * message's start and no loop is possible. Bytes that are not printable ASCII, dots and backslashes
 * inside a label are written `\DDD` (RFC 1035 5.1). The root is `.`.
 */
export function dnsName(packet: PacketReader, name: string, messageStart: number): DnsName {
  const at = packet.at;
  const labels: string[] = [];
  let bytes = 1;
  let partStart = at;
  let end = -1;
  for (;;) {
    const length = packet.peek8(0);
    if (length >= 0xc0) {
      const target = messageStart + (packet.peek16(0) & 0x3fff);
      if (end < 0) end = packet.at + 2;
      if (target >= partStart) packet.malformed('a name pointer that points backwards');
      partStart = target;
      packet.at = target;
    } else if (length > 63) {
      packet.malformed('a label of at most 63 bytes');
    } else if (length === 0) {
      break;
    } else {
      bytes += length + 1;
      if (bytes > maxNameBytes || labels.length >= maxLabels) {
        packet.malformed(`a name of at most ${maxNameBytes} bytes`);
      }
      packet.skip(1);
      labels.push(labelText(packet, length));
    }
  }
  if (end < 0) end = packet.at + 1;
  packet.at = end;
  const text = labels.length === 0 ? '.' : labels.join('.');
  packet.span(name, text, at, end);
  return { text, length: text.length, labels: labels.length };
}

function labelText(packet: PacketReader, length: number): string {
  packet.need(length);
  let text = '';
  for (const end = packet.at + length; packet.at < end; packet.at++) {
    const byte = packet.bytes[packet.at]!;
    const plain = byte > 0x20 && byte < 0x7f && byte !== 0x2e && byte !== 0x5c;
    text += plain ? String.fromCharCode(byte) : `\\${byte.toString().padStart(3, '0')}`;
  }
  return text;
}
