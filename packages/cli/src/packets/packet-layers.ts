import { escapeText, type Field, fitText, type Layer } from '@sockeye/net/dissect';
import { counted } from '../text/counted.ts';
import { hexDump } from './conversation-text.ts';
import { packetLine, valueText } from './packet-line.ts';
import type { PacketView } from './packet-view.ts';

// What a tutorial calls the five layers: the protocol of each, as far as it has one.
const LAYER_NAMES: Readonly<Record<string, string>> = {
  eth: 'link layer',
  vlan: 'link layer',
  sll: 'link layer',
  sll2: 'link layer',
  null: 'link layer',
  arp: 'link layer',
  ip: 'network layer',
  ipv6: 'network layer',
  icmp: 'network layer',
  icmpv6: 'network layer',
  igmp: 'network layer',
  tcp: 'transport layer',
  udp: 'transport layer',
  sctp: 'transport layer',
};
// Wide enough for an IPv6 address and its field; arbitrary.
const VALUE_COLUMNS = 80;

/** A packet layer by layer, each field with its place, its value and its meaning; then its bytes. */
export function packetLayers(view: PacketView): string {
  const { item, dissection } = view;
  const lines = [
    packetLine(view),
    `  physical layer: ${counted(item.originalLength, 'byte')}, ${item.capturedLength} captured`,
    ...dissection.layers.flatMap((layer) => layerLines(layer)),
    ...(view.reassembled === undefined
      ? []
      : [
          `  reassembled from fragments: ${counted(view.reassembled.length, 'byte')}`,
          ...view.reassembled.layers.flatMap((layer) => layerLines(layer)),
        ]),
    ...dissection.stops.map(
      ({ offset, protocol, reason, expected }) =>
        `  ${protocol} ends at byte ${offset}: ${reason}, expected ${expected}`,
    ),
    ...hexDump(item.bytes)
      .split('\n')
      .map((line) => `  ${line}`),
  ];
  return lines.join('\n');
}

function layerLines(layer: Layer): string[] {
  const name = LAYER_NAMES[layer.protocol] ?? 'application layer';
  const place = placeText(layer.start * 8, layer.end * 8);
  const length = counted(layer.end - layer.start, 'byte');
  const head = `  ${name}: ${layer.protocol}, ${length} [${place}]`;
  return [head, ...layer.fields.map((field) => `    ${fieldLine(field)}`)];
}

function fieldLine(field: Field): string {
  const [start, end] = field.bits;
  const place = start === end ? '' : `[${placeText(start, end)}]`;
  const value = fitText(escapeText(valueText(field.value)), VALUE_COLUMNS);
  const meaning = field.meaning === undefined ? '' : ` (${escapeText(field.meaning)})`;
  return `${place.padEnd(10)} ${field.name}: ${value}${meaning}`;
}

/** `14` or `14…17` for whole bytes, `14.4…14.7` for bits. */
function placeText(start: number, end: number): string {
  const isWhole = start % 8 === 0 && end % 8 === 0;
  const text = (bit: number): string => (isWhole ? String(bit >> 3) : `${bit >> 3}.${bit & 7}`);
  const last = isWhole ? end - 8 : end - 1;
  return last === start ? text(start) : `${text(start)}…${text(last)}`;
}
