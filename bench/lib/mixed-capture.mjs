import {
  ethernetFrame,
  ipPacket,
  linkType,
  PacketItem,
  PcapngWriter,
  tcpFlag,
  tcpSegment,
  udpDatagram,
} from '@sockeye/net/dissect';

const CLIENT_PORTS = 200;
const NANOSECONDS_A_PACKET = 20_000;
const START_SECONDS = 1_700_000_000;
const ascii = (text) => new TextEncoder().encode(text);
const bytes = (hex) => Uint8Array.from(Buffer.from(hex.replace(/ /g, ''), 'hex'));

const v4 = { source: '192.0.2.1', destination: '198.51.100.7' };
const v6 = { source: '2001:db8::1', destination: '2001:db8::7' };
const synOptions = bytes('0204 05b4 0402 080a 0000 0001 0000 0000 01 0303 07');
const timestamp = bytes('01 01 080a 0000 0001 0000 0002');
const query = bytes(
  '1234 0100 0001 0000 0000 0000 03 777777 07 6578616d706c65 03 6f7267 00 0001 0001',
);
const response = bytes(
  '1234 8180 0001 0001 0000 0000 03 777777 07 6578616d706c65 03 6f7267 00 0001 0001' +
    'c00c 0001 0001 0000012c 0004 c0000221',
);
const request = ascii('GET /index.html HTTP/1.1\r\nHost: www.example.org\r\nAccept: */*\r\n\r\n');
const reply = ascii('HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 0\r\n\r\n');
const reverse = ({ source, destination }) => ({ source: destination, destination: source });

function tcp(path, port, isFromClient, segment) {
  const ends = isFromClient ? path : reverse(path);
  const ports = isFromClient
    ? { sourcePort: port, destinationPort: segment.server }
    : { sourcePort: segment.server, destinationPort: port };
  const payload = tcpSegment(ends, { sequence: 1000, options: timestamp, ...ports, ...segment });
  return ethernetFrame(ipPacket({ ...ends, protocol: 6, payload }));
}

function udp(path, sourcePort, destinationPort, payload) {
  const datagram = udpDatagram(path, { sourcePort, destinationPort, payload });
  return ethernetFrame(ipPacket({ ...path, protocol: 17, payload: datagram }));
}

/** What one client does: 16 packets of TCP with an HTTP exchange and bulk data, DNS, and plain UDP. */
function conversation(port, path) {
  const { syn, ack, psh, fin } = tcpFlag;
  const web = { server: 80 };
  const bulk = { server: 5001, flags: ack, payload: new Uint8Array(1400).fill(0x61) };
  const empty = { server: 5001, flags: ack };
  return [
    udp(path, port, 53, query),
    udp(reverse(path), 53, port, response),
    tcp(path, port, true, { ...web, flags: syn, options: synOptions }),
    tcp(path, port, false, { ...web, flags: syn | ack, options: synOptions }),
    tcp(path, port, true, { ...web, flags: ack }),
    tcp(path, port, true, { ...web, flags: ack | psh, payload: request }),
    tcp(path, port, false, { ...web, flags: ack | psh, payload: reply }),
    tcp(path, port, true, { ...web, flags: ack | fin }),
    tcp(path, port, true, bulk),
    tcp(path, port, true, bulk),
    tcp(path, port, false, empty),
    tcp(path, port, true, bulk),
    tcp(path, port, false, empty),
    tcp(path, port, true, bulk),
    tcp(path, port, false, empty),
    udp(path, port, 5002, new Uint8Array(22)),
  ];
}

/**
 * A pcapng capture of so many packets, by pieces: three conversations in four are over IPv4, the
 * others over IPv6.
 */
export function* mixedCapture(count) {
  const writer = new PcapngWriter();
  yield writer.encode({ type: 'section', format: 'pcapng', littleEndian: true });
  const ethernet = { type: 'interface', id: 0, linkType: linkType.ethernet, snapLength: 0 };
  yield writer.encode(ethernet);
  const packets = Array.from({ length: CLIENT_PORTS }, (_, client) =>
    conversation(40_000 + client, client % 4 === 3 ? v6 : v4),
  ).flat();
  for (let index = 0; index < count; index++) {
    const time = index * NANOSECONDS_A_PACKET;
    const seconds = START_SECONDS + Math.floor(time / 1e9);
    const buffer = packets[index % packets.length];
    yield writer.encode(new PacketItem({ buffer, seconds, nanoseconds: time % 1e9 }));
  }
}
