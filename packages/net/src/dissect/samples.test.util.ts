// Packets for the tests, made with the packet builder or written by hand, one or more per protocol.
import { createHash } from 'node:crypto';
import { Duplex } from 'node:stream';
import { connect } from 'node:tls';
import { internetChecksum } from './checksum/internet-checksum.ts';
import { ByteWriter } from './build/byte-writer.ts';
import { ipPacket, type IpPacket } from './build/ip-packet.ts';
import { ethernetFrame, linuxSll2Frame, linuxSllFrame } from './build/link-frame.ts';
import { pseudoHeaderSum } from './build/pseudo-header-sum.ts';
import { tcpSegment, type TcpSegment } from './build/tcp-segment.ts';
import { udpDatagram } from './build/udp-datagram.ts';
import { crc32c } from './checksum/crc32c.ts';
import { linkType } from './layers/link-type.ts';

export interface Sample {
  readonly name: string;
  readonly linkType: number;
  readonly bytes: Uint8Array;
}

export const ascii = (text: string): Uint8Array => new TextEncoder().encode(text);

export const hex = (text: string): Uint8Array =>
  Uint8Array.from(text.replace(/\s+/g, '').match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));

const v4 = { source: '192.0.2.1', destination: '198.51.100.7' };
const v6 = { source: '2001:db8::1', destination: '2001:db8:0:1::7' };
type Path = typeof v4;

export function udpPacket(
  path: Path,
  ports: readonly [number, number],
  payload: Uint8Array,
): Uint8Array {
  const [sourcePort, destinationPort] = ports;
  const datagram = udpDatagram(path, { sourcePort, destinationPort, payload });
  return ipPacket({ ...path, protocol: 17, payload: datagram });
}

export function tcpPacket(path: Path, segment: Partial<TcpSegment>): Uint8Array {
  const defaults = { sourcePort: 40000, destinationPort: 50002, sequence: 1000, flags: 0x10 };
  const payload = tcpSegment(path, { ...defaults, ...segment });
  return ipPacket({ ...path, protocol: 6, payload });
}

function withChecksum(bytes: Uint8Array, at: number, sum = 0): Uint8Array {
  new DataView(bytes.buffer, bytes.byteOffset).setUint16(
    at,
    internetChecksum(bytes, 0, bytes.length, sum),
  );
  return bytes;
}

const icmpMessage = (text: string): Uint8Array => withChecksum(hex(text), 2);

function icmp6Packet(message: Uint8Array, path: Path = v6, hops = 255): Uint8Array {
  withChecksum(message, 2, pseudoHeaderSum(path, 58, message.length));
  return ipPacket({ ...path, protocol: 58, payload: message, ttl: hops });
}

function sctpPacket(chunks: Uint8Array): Uint8Array {
  const payload = new ByteWriter()
    .u16(5000)
    .u16(5001)
    .u32(0xdeadbeef)
    .u32(0)
    .bytes(chunks)
    .finish();
  const crc = crc32c(payload, 0, payload.length, 8);
  new DataView(payload.buffer).setUint32(8, crc, true);
  return ipPacket({ ...v4, protocol: 132, payload });
}

const dnsHeader = (flags: number, counts: readonly number[]): ByteWriter =>
  counts.reduce((writer, count) => writer.u16(count), new ByteWriter().u16(0x1234).u16(flags));

const dnsLabels = (name: string): Uint8Array =>
  ascii(
    name
      .split('.')
      .map((label) => String.fromCharCode(label.length) + label)
      .join(''),
  );

function dnsAnswer(): Uint8Array {
  const writer = dnsHeader(0x8580, [1, 7, 1, 1]).bytes(dnsLabels('www.example.org')).u8(0);
  writer.u16(255).u16(1);
  const record = (pointer: number, type: number, data: Uint8Array): void => {
    writer.u16(pointer).u16(type).u16(1).u32(300).u16(data.length).bytes(data);
  };
  const example = 0xc010;
  record(0xc00c, 1, Uint8Array.of(192, 0, 2, 33));
  record(0xc00c, 28, hex('20010db8000000000000000000000001'));
  record(0xc00c, 5, hex('026d78c010'));
  record(example, 15, hex('000a026d78c010'));
  record(example, 16, Uint8Array.of(5, ...ascii('hello'), 3, ...ascii('a b')));
  record(example, 12, hex('c00c'));
  record(
    example,
    6,
    hex('026e73c010 0568 6f737431 c010 00000001 00000e10 00000384 00093a80 0000012c'),
  );
  record(example, 2, hex('026e73c010'));
  return writer.u8(0).u16(41).u16(1232).u32(0x00008000).u16(0).finish();
}

function dhcpMessage(): Uint8Array {
  return new ByteWriter()
    .bytes(hex('01 01 06 00 3903f326 0005 8000'))
    .zeros(16)
    .bytes(hex('00 05 3c 04 8d 59'))
    .zeros(10)
    .zeros(192)
    .u32(0x63825363)
    .bytes(hex('35 01 03'))
    .bytes(hex('3d 07 01 00 05 3c 04 8d 59'))
    .bytes(hex('32 04 c0 00 02 64 36 04 c0 00 02 01'))
    .u8(12)
    .u8(4)
    .bytes(ascii('host'))
    .bytes(hex('37 04 01 03 06 2a 33 04 00 00 0e 10'))
    .bytes(hex('01 04 ff ff ff 00 03 04 c0 00 02 01 06 08 c0 00 02 02 c0 00 02 03 ff'))
    .zeros(8)
    .finish();
}

/** What OpenSSL sends first, taken from Node's own TLS over a stream that goes nowhere. */
async function clientHello(): Promise<Uint8Array> {
  return await new Promise((resolve) => {
    const sink = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, done) {
        resolve(Uint8Array.from(chunk));
        done();
      },
    });
    const client = connect({
      socket: sink,
      servername: 'server.example',
      ALPNProtocols: ['h2', 'http/1.1'],
    });
    client.on('error', () => undefined);
  });
}

function serverHello(): Uint8Array {
  const body = new ByteWriter()
    .u16(0x0303)
    .bytes(Array.from({ length: 32 }, (_, index) => index))
    .u8(0)
    .u16(0x1301)
    .u8(0)
    .u16(46)
    .bytes(hex('002b 0002 0304 0033 0024 001d 0020'))
    .bytes(Array.from({ length: 32 }, (_, index) => 255 - index))
    .finish();
  const message = new ByteWriter().u8(2).u24(body.length).bytes(body).finish();
  return new ByteWriter()
    .bytes(hex('16 0303'))
    .u16(message.length)
    .bytes(message)
    .bytes(hex('14 0303 0001 01'))
    .bytes(hex('15 0303 0002 0228'))
    .finish();
}

const webSocketKey = 'dGhlIHNhbXBsZSBub25jZQ==';
const upgradeRequest = `GET /chat HTTP/1.1\r\nHost: server.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: ${webSocketKey}\r\nSec-WebSocket-Version: 13\r\nX-Own: 1\r\n\r\n`;

function upgradeResponse(): string {
  // RFC 6455 1.3: the value that joins to the key.
  const accept = createHash('sha1')
    .update(`${webSocketKey}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`;
}

/** One TCP conversation: payloads of client and server in turn, with handshake. */
export function conversation(
  serverPort: number,
  payloads: readonly (readonly ['client' | 'server', Uint8Array])[],
  path: Path = v4,
): Uint8Array[] {
  const back = { source: path.destination, destination: path.source };
  const sequence = { client: 1000, server: 9000 };
  const send = (side: 'client' | 'server', flags: number, payload?: Uint8Array): Uint8Array => {
    const other = side === 'client' ? 'server' : 'client';
    const packet = tcpPacket(side === 'client' ? path : back, {
      sourcePort: side === 'client' ? 40001 : serverPort,
      destinationPort: side === 'client' ? serverPort : 40001,
      sequence: sequence[side],
      acknowledgment: (flags & 0x10) === 0 ? 0 : sequence[other],
      flags,
      ...(payload === undefined ? {} : { payload }),
    });
    sequence[side] += (payload?.length ?? 0) + ((flags & 3) === 0 ? 0 : 1);
    return packet;
  };
  return [
    send('client', 0x02),
    send('server', 0x12),
    send('client', 0x10),
    ...payloads.map(([side, payload]) => send(side, 0x18, payload)),
    send('client', 0x11),
    send('server', 0x11),
    send('client', 0x10),
  ];
}

function webSocketConversation(): Uint8Array[] {
  return conversation(8765, [
    ['client', ascii(upgradeRequest)],
    ['server', ascii(upgradeResponse())],
    ['client', hex('81 85 37fa213d 7f9f4d5158')],
    ['server', hex('81 05 48656c6c6f 89 00 8a 02 6869')],
    ['server', Uint8Array.of(0x82, 126, 0, 200, ...Array.from({ length: 200 }, () => 7))],
    ['server', hex('88 07 03e8 6279652121')],
  ]);
}

function ipSamples(): Record<string, Uint8Array> {
  const payload = ascii('payload');
  const options = { ...v4, protocol: 253, payload };
  const quoted = udpPacket(v4, [1024, 33434], payload).subarray(0, 28);
  const ip = (extra: Partial<IpPacket>): Uint8Array => ipPacket({ ...options, ...extra });
  return {
    'IPv4 with an unknown protocol': ip({}),
    'IPv4 with DSCP, ECN and identification': ip({
      trafficClass: 0xb9,
      identification: 77,
      ttl: 1,
    }),
    'IPv4 with router alert': ip({ options: hex('94040000') }),
    'IPv4 with record route': ip({ options: hex('07 0b 08 c0000201 00000000 00') }),
    'IPv4 with timestamps': ip({ options: hex('44 0c 0d 01 c0000201 01020304') }),
    'IPv4 first fragment': ip({
      fragment: 0x2000,
      protocol: 17,
      payload: hex('0400 0035 0100 1111 61626364'),
    }),
    'IPv4 later fragment': ip({ fragment: 0x0003, protocol: 17 }),
    'IPv4 with a wrong header checksum': ip({}).map((byte, at) => (at === 10 ? byte ^ 1 : byte)),
    'ICMP echo request': ip({
      protocol: 1,
      payload: icmpMessage('0800 0000 0102 0003 6162636465666768'),
    }),
    'ICMP echo reply': ip({
      protocol: 1,
      payload: icmpMessage('0000 0000 0102 0003 6162636465666768'),
    }),
    'ICMP timestamp': ip({
      protocol: 1,
      payload: icmpMessage('0d00 0000 0102 0003 00000001 00000002 00000003'),
    }),
    'ICMP port unreachable': ip({
      protocol: 1,
      payload: withChecksum(Uint8Array.of(...hex('0303 0000 00000000'), ...quoted), 2),
    }),
    'ICMP fragmentation needed': ip({
      protocol: 1,
      payload: withChecksum(Uint8Array.of(...hex('0304 0000 000005dc'), ...quoted), 2),
    }),
    'ICMP time exceeded': ip({
      protocol: 1,
      payload: withChecksum(Uint8Array.of(...hex('0b00 0000 00000000'), ...quoted), 2),
    }),
    'ICMP redirect': ip({
      protocol: 1,
      payload: withChecksum(Uint8Array.of(...hex('0501 0000 c0000263'), ...quoted), 2),
    }),
    'ICMP with a wrong checksum': ip({ protocol: 1, payload: hex('0800 1234 0102 0003 61626364') }),
    'IGMPv1 query': ip({ protocol: 2, payload: icmpMessage('1100 0000 00000000'), ttl: 1 }),
    'IGMPv1 report': ip({ protocol: 2, payload: icmpMessage('1200 0000 e0000105'), ttl: 1 }),
    'IGMPv2 query': ip({ protocol: 2, payload: icmpMessage('1164 0000 00000000'), ttl: 1 }),
    'IGMPv2 report': ip({ protocol: 2, payload: icmpMessage('1600 0000 e0000105'), ttl: 1 }),
    'IGMPv2 leave': ip({ protocol: 2, payload: icmpMessage('1700 0000 e0000105'), ttl: 1 }),
    'IGMPv3 query': ip({
      protocol: 2,
      payload: icmpMessage('1164 0000 e0000105 0a7d 0001 c0000205'),
      ttl: 1,
    }),
    'IGMPv3 report': ip({
      protocol: 2,
      payload: icmpMessage('2200 0000 0000 0002 0400 0000 e0000105 0100 0001 e0000106 c0000205'),
      ttl: 1,
    }),
  };
}

function ipv6Samples(): Record<string, Uint8Array> {
  const payload = ascii('payload');
  const udp = udpDatagram(v6, { sourcePort: 5000, destinationPort: 5001, payload });
  const ip = (extra: Partial<IpPacket>): Uint8Array =>
    ipPacket({ ...v6, protocol: 17, payload: udp, ...extra });
  const headers = (text: string, rest: Uint8Array = udp): Uint8Array =>
    Uint8Array.of(...hex(text), ...rest);
  const target = 'fe80000000000000021122fffe334455';
  return {
    'IPv6 with traffic class and flow label': ip({ trafficClass: 0xb9, flowLabel: 0x12345 }),
    'IPv6 hop-by-hop options': ip({ protocol: 0, payload: headers('11 00 0502 0000 0100') }),
    'IPv6 destination options': ip({ protocol: 60, payload: headers('11 00 0104 00000000') }),
    'IPv6 routing header, type 4': ip({
      protocol: 43,
      payload: headers('11 02 04 00 00 00 0000 20010db8000000000000000000000009'),
    }),
    'IPv6 routing header with segments left': ip({
      protocol: 43,
      payload: headers('11 02 02 01 00000000 20010db8000000000000000000000009'),
    }),
    'IPv6 first fragment': ip({ protocol: 44, payload: headers('11 00 0001 01020304') }),
    'IPv6 later fragment': ip({ protocol: 44, payload: headers('11 00 0010 01020304') }),
    'IPv6 atomic fragment': ip({ protocol: 44, payload: headers('11 00 0000 01020304') }),
    'IPv6 no next header': ip({ protocol: 59, payload: new Uint8Array(0) }),
    'IPv6 authentication header': ip({
      protocol: 51,
      payload: headers('11 04 0000 00000100 00000001 0102030405060708090a0b0c'),
    }),
    'IPv6 in IPv4': ipPacket({ ...v4, protocol: 41, payload: ip({}) }),
    'IPv4 in IPv4': ipPacket({ ...v4, protocol: 4, payload: udpPacket(v4, [9, 10], payload) }),
    'ICMPv6 echo request': icmp6Packet(hex('8000 0000 0001 0002 6162636465666768')),
    'ICMPv6 echo reply': icmp6Packet(hex('8100 0000 0001 0002 6162636465666768')),
    'ICMPv6 port unreachable': icmp6Packet(headers('0104 0000 00000000', ip({}))),
    'ICMPv6 packet too big': icmp6Packet(headers('0200 0000 00000500', ip({}))),
    'ICMPv6 time exceeded': icmp6Packet(headers('0300 0000 00000000', ip({}))),
    'ICMPv6 parameter problem': icmp6Packet(headers('0401 0000 00000006', ip({}))),
    'ICMPv6 router solicitation': icmp6Packet(hex('8500 0000 00000000 0101 001122334455')),
    'ICMPv6 router advertisement': icmp6Packet(
      hex(
        '8600 0000 40c8 0708 00000001 00000002 0101 001122334455 0501 0000 000005dc 0304 40c0 00278d00 00093a80 00000000 20010db8000100000000000000000000 1903 0000 00000258 20010db8000000000000000000000053',
      ),
    ),
    'ICMPv6 neighbour solicitation': icmp6Packet(
      hex(`8700 0000 00000000 ${target} 0101 001122334455`),
    ),
    'ICMPv6 neighbour advertisement': icmp6Packet(
      hex(`8800 0000 60000000 ${target} 0201 001122334455`),
    ),
    'ICMPv6 redirect': icmp6Packet(
      hex(`8900 0000 00000000 ${target} 20010db8000000000000000000000099`),
    ),
    'ICMPv6 listener query': icmp6Packet(hex(`8200 0000 2710 0000 ${'00'.repeat(16)}`), v6, 1),
    'ICMPv6 listener query 2': icmp6Packet(
      hex(`8200 0000 2710 0000 ${'00'.repeat(16)} 027d 0000`),
      v6,
      1,
    ),
    'ICMPv6 listener report': icmp6Packet(
      hex('8300 0000 0000 0000 ff020000000000000000000000000fb1'),
      v6,
      1,
    ),
    'ICMPv6 listener report 2': icmp6Packet(
      hex('8f00 0000 0000 0001 0400 0000 ff020000000000000000000000000fb1'),
      v6,
      1,
    ),
  };
}

function transportSamples(): Record<string, Uint8Array> {
  const payload = ascii('payload');
  const allOptions = hex('0204 05b4 0101 080a 00000001 00000002 050a 00000010 00000020 0000');
  return {
    'UDP over IPv4': udpPacket(v4, [50000, 50001], payload),
    'UDP over IPv6': udpPacket(v6, [50000, 50001], payload),
    'UDP without checksum': ipPacket({
      ...v4,
      protocol: 17,
      payload: hex('c350 c351 000c 0000 61626364'),
    }),
    'UDP with a wrong checksum': ipPacket({
      ...v4,
      protocol: 17,
      payload: hex('c350 c351 000c 1234 61626364'),
    }),
    'TCP SYN with options': tcpPacket(v4, {
      flags: 0x02,
      options: hex('020405b4 0402 080a 01020304 00000000 01 030307'),
    }),
    'TCP SYN+ACK': tcpPacket(v4, {
      flags: 0x12,
      acknowledgment: 77,
      options: hex('020405b4 0402 0303 0e 00'),
    }),
    'TCP with payload over IPv6': tcpPacket(v6, { flags: 0x18, payload, acknowledgment: 5 }),
    'TCP with SACK and timestamps': tcpPacket(v4, { options: allOptions }),
    'TCP with every flag': tcpPacket(v4, { flags: 0x1ff, urgentPointer: 3, payload }),
    'TCP with MD5 and user timeout': tcpPacket(v4, {
      options: hex(`1312 ${'ab'.repeat(16)} 1c04 8005`),
    }),
    'TCP with fast open cookie': tcpPacket(v4, {
      flags: 2,
      options: hex('220a 0102030405060708 0101'),
    }),
    'TCP with authentication and unknown options': tcpPacket(v4, {
      options: hex('1d10 0102 000102030405060708090a0b fd04 0102 c803 07 00'),
    }),
    'TCP with a wrong option length': tcpPacket(v4, { options: hex('01 01 08 ff') }),
    'TCP with a wrong checksum': tcpPacket(v4, { payload }).map((byte, at) =>
      at === 36 ? byte ^ 1 : byte,
    ),
    'SCTP INIT': sctpPacket(
      hex(
        '0100002a 00000001 0001a000 000a 000b 00000005 0005 0008 c0000205 000c 0006 0005 0000 8008 0006 c0 82 0000',
      ),
    ),
    'SCTP INIT ACK': sctpPacket(
      hex('0200001c 00000001 0001a000 000a 000b 00000005 0007 0008 01020304'),
    ),
    'SCTP DATA and SACK': sctpPacket(
      hex(
        '00030015 00000006 0001 0002 00000000 68656c6c6f 000000 03000018 00000009 0000ffff 0001 0001 0002 0003 00000008',
      ),
    ),
    'SCTP heartbeat and shutdown': sctpPacket(
      hex(
        '0400000c 0001 0008 01020304 07000008 00000006 0b000004 0e000004 08000004 0a000008 01020304',
      ),
    ),
    'DNS query': udpPacket(
      v4,
      [40000, 53],
      dnsHeader(0x0100, [1, 0, 0, 0])
        .bytes(dnsLabels('www.example.org'))
        .u8(0)
        .u16(1)
        .u16(1)
        .finish(),
    ),
    'DNS answer of many types': udpPacket(v4, [53, 40000], dnsAnswer()),
    'DNS SRV': udpPacket(
      v4,
      [53, 40000],
      dnsHeader(0x8180, [0, 1, 0, 0])
        .bytes(dnsLabels('_sip._tcp.example.org'))
        .u8(0)
        .u16(33)
        .u16(1)
        .u32(60)
        .bytes(hex('000b 0001 0002 1f90 0361626300'))
        .finish(),
    ),
    'DNS error': udpPacket(
      v6,
      [53, 40000],
      dnsHeader(0x8183, [1, 0, 0, 0]).bytes(dnsLabels('nx.example')).u8(0).u16(28).u16(1).finish(),
    ),
    'multicast DNS': udpPacket(
      v4,
      [5353, 5353],
      dnsHeader(0x8400, [0, 1, 0, 0])
        .bytes(dnsLabels('printer.local'))
        .u8(0)
        .u16(1)
        .u16(1)
        .u32(120)
        .u16(4)
        .bytes([192, 0, 2, 9])
        .finish(),
    ),
    'DHCP request': udpPacket(
      { source: '0.0.0.0', destination: '255.255.255.255' },
      [68, 67],
      dhcpMessage(),
    ),
  };
}

function framed(packets: Record<string, Uint8Array>): Sample[] {
  return Object.entries(packets).map(([name, packet]) => ({
    name,
    linkType: linkType.ethernet,
    bytes: ethernetFrame(packet, { source: '02:00:00:00:00:01', destination: '02:00:00:00:00:02' }),
  }));
}

function ethernet(name: string, bytes: Uint8Array): Sample {
  return { name, linkType: linkType.ethernet, bytes };
}

function linkSamples(): Sample[] {
  const payload = ascii('payload');
  const packet = udpPacket(v4, [50000, 50001], payload);
  const packet6 = udpPacket(v6, [50000, 50001], payload);
  const arp = hex('0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000202');
  const gratuitous = hex('0001 0800 06 04 0001 020000000001 c0000201 000000000000 c0000201');
  const short = ethernetFrame(udpPacket(v4, [50000, 50001], new Uint8Array(0)));
  return [
    ethernet('ARP request', ethernetFrame(arp, { type: 0x0806, destination: 'ff:ff:ff:ff:ff:ff' })),
    ethernet('gratuitous ARP', ethernetFrame(gratuitous, { type: 0x0806 })),
    ethernet('VLAN', ethernetFrame(packet, { vlans: [{ tag: 0x6123 }] })),
    ethernet(
      'Q-in-Q',
      ethernetFrame(packet6, { vlans: [{ type: 0x88a8, tag: 0x0064 }, { tag: 0x10c8 }] }),
    ),
    ethernet('Ethernet padding', Uint8Array.of(...short, ...new Uint8Array(60 - short.length))),
    ethernet(
      'Ethernet trailer',
      Uint8Array.of(
        ...ethernetFrame(udpPacket(v4, [50000, 50001], new Uint8Array(40).fill(9))),
        1,
        2,
        3,
      ),
    ),
    ethernet('unknown EtherType', ethernetFrame(payload, { type: 0x88b5 })),
    { name: 'SLL', linkType: linkType.linuxSll, bytes: linuxSllFrame(packet) },
    {
      name: 'SLL with IPv6, outgoing',
      linkType: linkType.linuxSll,
      bytes: linuxSllFrame(packet6, { packetType: 4 }),
    },
    { name: 'SLL2', linkType: linkType.linuxSll2, bytes: linuxSll2Frame(packet, { interface: 3 }) },
    { name: 'SLL2 with IPv6', linkType: linkType.linuxSll2, bytes: linuxSll2Frame(packet6) },
    {
      name: 'null, little-endian',
      linkType: linkType.null,
      bytes: Uint8Array.of(2, 0, 0, 0, ...packet),
    },
    {
      name: 'null, IPv6 of macOS',
      linkType: linkType.null,
      bytes: Uint8Array.of(30, 0, 0, 0, ...packet6),
    },
    {
      name: 'loop, big-endian',
      linkType: linkType.loop,
      bytes: Uint8Array.of(0, 0, 0, 2, ...packet),
    },
    { name: 'raw IPv4', linkType: linkType.raw, bytes: packet },
    { name: 'raw IPv6', linkType: linkType.raw, bytes: packet6 },
  ];
}

/** One sample or more of every protocol that the dissector knows. */
export async function allSamples(): Promise<Sample[]> {
  const hello = await clientHello();
  const dnsQuery = dnsHeader(0x0100, [1, 0, 0, 0])
    .bytes(dnsLabels('a.example'))
    .u8(0)
    .u16(1)
    .u16(1)
    .finish();
  const streams: Record<string, Uint8Array[]> = {
    TLS: conversation(443, [
      ['client', hello],
      ['server', serverHello()],
      ['server', hex('17 0303 0005 0102030405')],
    ]),
    HTTP: conversation(80, [
      [
        'client',
        ascii(
          'POST /form?a=1 HTTP/1.1\r\nHost: server.example\r\nUser-Agent: test\r\nContent-Length: 3\r\nAccept: */*\r\n\r\nabc',
        ),
      ],
      [
        'server',
        ascii(
          'HTTP/1.1 200 OK\r\nServer: test\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello',
        ),
      ],
    ]),
    WebSocket: webSocketConversation(),
    'DNS over TCP': conversation(
      53,
      [['client', Uint8Array.of(0, dnsQuery.length, ...dnsQuery)]],
      v6,
    ),
  };
  return [
    ...linkSamples(),
    ...framed(ipSamples()),
    ...framed(ipv6Samples()),
    ...framed(transportSamples()),
    ...Object.entries(streams).flatMap(([name, packets]) =>
      framed(
        Object.fromEntries(packets.map((packet, index) => [`${name}, segment ${index}`, packet])),
      ),
    ),
  ];
}
