import { escapeText, type Field, type Layer, type TcpSegmentNote } from '@sockeye/net/dissect';
import { endpointText } from './conversation-object.ts';
import { secondsBetween } from './packet-time.ts';
import type { PacketView } from './packet-view.ts';

/** A field, and the word in front of its value. */
type Part = string | readonly [field: string, word: string];

// What a line says about a packet's innermost layer, in this order, where it is there and not 0.
const DNS: readonly Part[] = [
  'dns.flags.response',
  'dns.qry.name',
  'dns.qry.type',
  'dns.a',
  'dns.aaaa',
  'dns.cname',
];
const SUMMARY: Readonly<Record<string, readonly Part[]>> = {
  arp: ['arp.opcode', ['arp.src.proto_ipv4', 'from'], ['arp.dst.proto_ipv4', 'for']],
  ip: ['ip.proto', 'ip.flags.mf', ['ip.frag_offset', 'fragment at']],
  icmp: ['icmp.type', ['icmp.code', 'code'], ['icmp.ident', 'id'], ['icmp.seq', 'seq']],
  icmpv6: [
    'icmpv6.type',
    ['icmpv6.code', 'code'],
    ['icmpv6.nd.ns.target_address', 'for'],
    ['icmpv6.echo.identifier', 'id'],
    ['icmpv6.echo.sequence_number', 'seq'],
  ],
  igmp: ['igmp.type', 'igmp.maddr'],
  dns: DNS,
  mdns: DNS,
  dhcp: ['dhcp.option.dhcp', ['dhcp.ip.your', 'for'], 'dhcp.hw.mac_addr'],
  http: ['http.request.method', 'http.request.uri', 'http.host', 'http.response.code'],
  tls: [
    'tls.record.content_type',
    'tls.handshake.type',
    'tls.handshake.extensions_server_name',
    'tls.handshake.extensions_alpn_str',
  ],
  websocket: ['websocket.opcode', ['websocket.payload_length', 'len']],
  sctp: ['sctp.chunk_type'],
};
const UNSAID: ReadonlySet<Field['value']> = new Set([false, 0, '0.0.0.0']);

/** A packet in one line. */
export function packetLine(view: PacketView): string {
  const { number, item, dissection, event, start } = view;
  const { own: layers, quoted } = splitQuoted(view.reassembled?.layers ?? dissection.layers);
  const last = innermost(layers);
  const what = event?.segment === undefined ? datagramText(layers) : segmentText(event.segment);
  const parts = [
    String(number).padStart(5),
    secondsBetween(start, item),
    pathText(dissection.layers, layers),
    what,
    summaryText(last),
    quoted.length === 0 ? '' : `about ${pathText([], quoted)} ${datagramText(quoted)}`.trimEnd(),
    item.originalLength > item.capturedLength
      ? `(${item.capturedLength} of ${item.originalLength} bytes)`
      : '',
    dissection.stops.some(({ reason }) => reason === 'malformed') ? '[malformed]' : '',
    ...dissection.stops
      .filter(({ reason }) => reason === 'failed')
      .map(({ protocol }) => `[layer ${protocol} failed]`),
  ];
  return escapeText(parts.filter((part) => part !== '').join(' '));
}

/** An ICMP error quotes the packet that it is about: that one's layers come behind its own. */
function splitQuoted(layers: readonly Layer[]): {
  own: readonly Layer[];
  quoted: readonly Layer[];
} {
  const icmp = layers.findIndex(({ protocol }) => protocol === 'icmp' || protocol === 'icmpv6');
  const quotes = layers.slice(icmp + 1).some(({ protocol }) => protocol.startsWith('ip'));
  return icmp < 0 || !quotes
    ? { own: layers, quoted: [] }
    : { own: layers.slice(0, icmp + 1), quoted: layers.slice(icmp + 1) };
}

function innermost(layers: readonly Layer[]): Layer | undefined {
  return layers.findLast(({ protocol }) => protocol !== 'data');
}

/** Who sends to whom: with ports, else IP addresses, else those of the link. */
function pathText(outer: readonly Layer[], layers: readonly Layer[]): string {
  const network = layers.findLast(({ protocol }) => protocol === 'ip' || protocol === 'ipv6');
  const address = (suffix: 'src' | 'dst'): string => {
    const own = network?.value(`${network.protocol}.${suffix}`) ?? outer[0]?.value(`eth.${suffix}`);
    return own === undefined ? '?' : valueText(own);
  };
  const transport = layers.findLast((layer) => layer.field(`${layer.protocol}.srcport`));
  const port = (suffix: 'srcport' | 'dstport'): number =>
    Number(transport?.value(`${transport.protocol}.${suffix}`) ?? 0);
  const source = endpointText({ address: address('src'), port: port('srcport') });
  return `${source} → ${endpointText({ address: address('dst'), port: port('dstport') })}`;
}

function segmentText(note: TcpSegmentNote): string {
  const { sequence, acknowledgment: ack } = note;
  return [
    `TCP ${note.flags} seq ${sequence.relative} (${sequence.absolute})`,
    ack === undefined ? '' : `ack ${ack.relative} (${ack.absolute})`,
    `win ${note.window}`,
    `len ${note.length}`,
    note.marks.length === 0 ? '' : `[${note.marks.join(', ')}]`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

function datagramText(layers: readonly Layer[]): string {
  const udp = layers.find(({ protocol }) => protocol === 'udp');
  if (udp !== undefined) return `UDP len ${Number(udp.value('udp.length') ?? 8) - 8}`;
  const last = innermost(layers);
  return SUMMARY[last?.protocol ?? ''] === undefined
    ? (last?.protocol ?? 'data').toUpperCase()
    : '';
}

function summaryText(layer: Layer | undefined): string {
  const parts = SUMMARY[layer?.protocol ?? ''];
  if (layer === undefined || parts === undefined) return '';
  const texts = parts.flatMap((part) => {
    const [name, word] = typeof part === 'string' ? [part, ''] : part;
    const field = layer.field(name);
    if (field === undefined) return [];
    // Of a kind 0 is one too: an echo reply.
    if (UNSAID.has(field.value) && (word !== '' || field.meaning === undefined)) return [];
    return [word === '' ? fieldText(field) : `${word} ${fieldText(field)}`];
  });
  return [layer.protocol.toUpperCase(), ...texts].join(' ');
}

function fieldText({ name, value, meaning }: Field): string {
  if (value === true) return name.slice(name.lastIndexOf('.') + 1);
  return meaning ?? valueText(value);
}

/** A field's value in words. */
export function valueText(value: Field['value']): string {
  if (value instanceof Uint8Array) return Buffer.from(value).toString('hex');
  return String(value);
}
