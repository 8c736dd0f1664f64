import type { PacketReader } from '../packet-reader.ts';
import { dnsName } from './dns-name.ts';
import { names } from './names.ts';

// iana.org/assignments/dns-parameters.
export const dnsTypeNames = names({
  1: 'A',
  2: 'NS',
  5: 'CNAME',
  6: 'SOA',
  12: 'PTR',
  13: 'HINFO',
  15: 'MX',
  16: 'TXT',
  28: 'AAAA',
  29: 'LOC',
  33: 'SRV',
  35: 'NAPTR',
  39: 'DNAME',
  41: 'OPT',
  43: 'DS',
  44: 'SSHFP',
  46: 'RRSIG',
  47: 'NSEC',
  48: 'DNSKEY',
  50: 'NSEC3',
  52: 'TLSA',
  64: 'SVCB',
  65: 'HTTPS',
  99: 'SPF',
  250: 'TSIG',
  251: 'IXFR',
  252: 'AXFR',
  255: 'ANY',
  257: 'CAA',
});
const classNames = names({ 1: 'IN', 3: 'CH', 4: 'HS', 254: 'NONE', 255: 'ANY' });

const optType = 41;

type RecordReader = (packet: PacketReader, messageStart: number) => void;

// Type → the record's data. The region it is read in ends with it.
const readers: Readonly<Record<number, RecordReader>> = {
  1: (packet) => packet.ipv4('dns.a'),
  2: (packet, start) => dnsName(packet, 'dns.ns', start),
  5: (packet, start) => dnsName(packet, 'dns.cname', start),
  6: startOfAuthority,
  12: (packet, start) => dnsName(packet, 'dns.ptr.domain_name', start),
  15: mailExchange,
  16: (packet) => texts(packet, 'dns.txt'),
  28: (packet) => packet.ipv6('dns.aaaa'),
  33: service,
  39: (packet, start) => dnsName(packet, 'dns.dname', start),
  41: extensions,
  99: (packet) => texts(packet, 'dns.spf'),
  257: certificationAuthority,
};

/**
 * One resource record, RFC 1035 4.1.3; OPT uses class and time to live otherwise (RFC 6891 6.1.2).
 *
 *     | name | type | class | time to live | data length | data ...
 */
export function resourceRecord(
  packet: PacketReader,
  messageStart: number,
  isMulticast: boolean,
): void {
  dnsName(packet, 'dns.resp.name', messageStart);
  const type = packet.u16('dns.resp.type', dnsTypeNames);
  if (type === optType) {
    extendedHeader(packet);
  } else {
    dnsClass(packet, 'dns.resp.class', isMulticast ? 'dns.resp.cache_flush' : undefined);
    packet.u32('dns.resp.ttl');
  }
  const length = packet.u16('dns.resp.len');
  packet.region(length, () => {
    const read = readers[type];
    if (read !== undefined) read(packet, messageStart);
    else if (length > 0) packet.raw('dns.data', length);
  });
}

/** A class; multicast DNS took its highest bit for a flag (RFC 6762 18.12 and 18.13). */
export function dnsClass(packet: PacketReader, name: string, flag: string | undefined): void {
  if (flag === undefined) {
    packet.u16(name, classNames);
  } else {
    packet.bits(name, packet.at, 1, 15, classNames);
    packet.flag(flag, packet.at, 0);
    packet.skip(2);
  }
}

function extendedHeader(packet: PacketReader): void {
  packet.u16('dns.rr.udp_payload_size');
  packet.u8('dns.resp.ext_rcode');
  packet.u8('dns.resp.edns0_version');
  const at = packet.at;
  packet.u16('dns.resp.z');
  packet.flag('dns.resp.z.do', at, 0);
  packet.bits('dns.resp.z.reserved', at, 1, 15);
}

function startOfAuthority(packet: PacketReader, start: number): void {
  dnsName(packet, 'dns.soa.mname', start);
  dnsName(packet, 'dns.soa.rname', start);
  packet.u32('dns.soa.serial_number');
  packet.u32('dns.soa.refresh_interval');
  packet.u32('dns.soa.retry_interval');
  packet.u32('dns.soa.expire_limit');
  packet.u32('dns.soa.minimum_ttl');
}

function mailExchange(packet: PacketReader, start: number): void {
  packet.u16('dns.mx.preference');
  dnsName(packet, 'dns.mx.mail_exchange', start);
}

function texts(packet: PacketReader, name: string): void {
  while (packet.remaining > 0) packet.text(name, packet.u8(`${name}.length`));
}

function service(packet: PacketReader, start: number): void {
  packet.u16('dns.srv.priority');
  packet.u16('dns.srv.weight');
  packet.u16('dns.srv.port');
  dnsName(packet, 'dns.srv.target', start);
}

function certificationAuthority(packet: PacketReader): void {
  packet.u8('dns.caa.flags');
  packet.text('dns.caa.tag', packet.u8('dns.caa.tag_length'));
  packet.text('dns.caa.value', packet.remaining);
}

function extensions(packet: PacketReader): void {
  while (packet.remaining > 0) {
    packet.u16('dns.opt.code');
    const length = packet.u16('dns.opt.len');
    if (length > 0) packet.raw('dns.opt.data', length);
  }
}
