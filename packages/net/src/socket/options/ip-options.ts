import * as c from '../../constants/index.ts';
import {
  groupMembership,
  groupSource,
  inetAddress,
  interfaceInNetworkOrder,
  interfaceNumber,
  membership4,
  membership6,
  multicastInterface4,
  pathMtu,
  sourceFilter4,
  sourceMembership4,
} from './address-codecs.ts';
import { bitSet } from './list-codecs.ts';
import { u16 } from './native-words.ts';
import { optionsAt, type SocketKind } from './option-row.ts';
import { binary, boolean, integer } from './scalar-codecs.ts';
import { struct } from './struct-codec.ts';

const isIp = ({ family }: SocketKind): boolean => family === c.AF_INET || family === c.AF_INET6;
const isIpv6 = ({ family }: SocketKind): boolean => family === c.AF_INET6;
const isRaw = (kind: SocketKind): boolean => isIp(kind) && kind.type === c.SOCK_RAW;

// They are on AF_INET6 sockets, too, for what those send and receive as IPv4; not on raw ones.
const ip = optionsAt(c.IPPROTO_IP, (kind) => isIp(kind) && !(isRaw(kind) && isIpv6(kind)));
const rawIp = optionsAt(c.IPPROTO_IP, (kind) => isRaw(kind) && !isIpv6(kind));
const ipv6 = optionsAt(c.IPPROTO_IPV6, isIpv6);
const rawIpv6 = optionsAt(c.IPPROTO_IPV6, (kind) => isRaw(kind) && isIpv6(kind));
const icmp = optionsAt(
  c.SOL_RAW,
  (kind) => isRaw(kind) && !isIpv6(kind) && kind.proto === c.IPPROTO_ICMP,
);
const icmp6 = optionsAt(
  c.SOL_ICMPV6,
  (kind) => isRaw(kind) && isIpv6(kind) && kind.proto === c.IPPROTO_ICMPV6,
);

// IP options and IPv6 extension headers: MAX_IPOPTLEN, and (255 + 1) * 8 bytes (RFC 8200).
const MAX_IP_OPTIONS = 40;
const MAX_EXTENSION = 2048;
const hops = integer('hops', -1, 255);
const byte = integer(undefined, -1, 255);

/** Source: ip(7). */
export const ipOptions = {
  IP_ADD_MEMBERSHIP: ip.writeOnly(c.IP_ADD_MEMBERSHIP, membership4),
  IP_ADD_SOURCE_MEMBERSHIP: ip.writeOnly(c.IP_ADD_SOURCE_MEMBERSHIP, sourceMembership4),
  IP_BIND_ADDRESS_NO_PORT: ip.readWrite(c.IP_BIND_ADDRESS_NO_PORT, boolean),
  IP_BLOCK_SOURCE: ip.writeOnly(c.IP_BLOCK_SOURCE, sourceMembership4),
  IP_CHECKSUM: ip.readWrite(c.IP_CHECKSUM, boolean),
  IP_DROP_MEMBERSHIP: ip.writeOnly(c.IP_DROP_MEMBERSHIP, membership4),
  IP_DROP_SOURCE_MEMBERSHIP: ip.writeOnly(c.IP_DROP_SOURCE_MEMBERSHIP, sourceMembership4),
  IP_FREEBIND: ip.readWrite(c.IP_FREEBIND, boolean),
  IP_HDRINCL: rawIp.readWrite(c.IP_HDRINCL, boolean),
  IP_LOCAL_PORT_RANGE: ip.readWrite(c.IP_LOCAL_PORT_RANGE, struct({ low: u16, high: u16 })),
  IP_MINTTL: ip.readWrite(c.IP_MINTTL, integer('hops', 0, 255)),
  /** The path's MTU, of a connected socket. */
  IP_MTU: ip.readOnly(c.IP_MTU, integer('bytes')),
  /** IP_PMTUDISC_DONT … IP_PMTUDISC_OMIT. */
  IP_MTU_DISCOVER: ip.readWrite(c.IP_MTU_DISCOVER, integer(undefined, 0, 5)),
  IP_MSFILTER: ip.writeOnly(c.IP_MSFILTER, sourceFilter4),
  IP_MULTICAST_ALL: ip.readWrite(c.IP_MULTICAST_ALL, boolean),
  IP_MULTICAST_IF: ip.readWrite(c.IP_MULTICAST_IF, multicastInterface4),
  IP_MULTICAST_LOOP: ip.readWrite(c.IP_MULTICAST_LOOP, boolean),
  IP_MULTICAST_TTL: ip.readWrite(c.IP_MULTICAST_TTL, hops),
  IP_NODEFRAG: rawIp.readWrite(c.IP_NODEFRAG, boolean),
  IP_OPTIONS: ip.readWrite(c.IP_OPTIONS, binary(MAX_IP_OPTIONS)),
  IP_PASSSEC: ip.readWrite(c.IP_PASSSEC, boolean),
  IP_PKTINFO: ip.readWrite(c.IP_PKTINFO, boolean),
  IP_PROTOCOL: ip.readOnly(c.IP_PROTOCOL, integer()),
  IP_RECVERR: ip.readWrite(c.IP_RECVERR, boolean),
  IP_RECVERR_RFC4884: ip.readWrite(c.IP_RECVERR_RFC4884, boolean),
  IP_RECVFRAGSIZE: ip.readWrite(c.IP_RECVFRAGSIZE, boolean),
  IP_RECVOPTS: ip.readWrite(c.IP_RECVOPTS, boolean),
  IP_RECVORIGDSTADDR: ip.readWrite(c.IP_RECVORIGDSTADDR, boolean),
  IP_RECVTOS: ip.readWrite(c.IP_RECVTOS, boolean),
  IP_RECVTTL: ip.readWrite(c.IP_RECVTTL, boolean),
  IP_RETOPTS: ip.readWrite(c.IP_RETOPTS, boolean),
  IP_ROUTER_ALERT: rawIp.writeOnly(c.IP_ROUTER_ALERT, boolean),
  IP_TOS: ip.readWrite(c.IP_TOS, integer(undefined, 0, 255)),
  IP_TRANSPARENT: ip.readWrite(c.IP_TRANSPARENT, boolean),
  /** -1: the system's default. */
  IP_TTL: ip.readWrite(c.IP_TTL, hops),
  IP_UNBLOCK_SOURCE: ip.writeOnly(c.IP_UNBLOCK_SOURCE, sourceMembership4),
  IP_UNICAST_IF: ip.readWrite(c.IP_UNICAST_IF, interfaceInNetworkOrder),
  MCAST_BLOCK_SOURCE: ip.writeOnly(c.MCAST_BLOCK_SOURCE, groupSource),
  MCAST_JOIN_GROUP: ip.writeOnly(c.MCAST_JOIN_GROUP, groupMembership),
  MCAST_JOIN_SOURCE_GROUP: ip.writeOnly(c.MCAST_JOIN_SOURCE_GROUP, groupSource),
  MCAST_LEAVE_GROUP: ip.writeOnly(c.MCAST_LEAVE_GROUP, groupMembership),
  MCAST_LEAVE_SOURCE_GROUP: ip.writeOnly(c.MCAST_LEAVE_SOURCE_GROUP, groupSource),
  MCAST_UNBLOCK_SOURCE: ip.writeOnly(c.MCAST_UNBLOCK_SOURCE, groupSource),
  /** Where a connection went before netfilter redirected it. Source: iptables-extensions(8). */
  SO_ORIGINAL_DST: ip.readOnly(c.SO_ORIGINAL_DST, inetAddress),
} as const;

/** Source: ipv6(7), RFC 3493, RFC 3542. */
export const ipv6Options = {
  /** AF_INET, where the socket has an IPv4-mapped peer. */
  IPV6_ADDRFORM: ipv6.writeOnly(c.IPV6_ADDRFORM, integer()),
  /** IPV6_PREFER_SRC_… */
  IPV6_ADDR_PREFERENCES: ipv6.readWrite(c.IPV6_ADDR_PREFERENCES, integer()),
  /** Another name of IPV6_JOIN_GROUP. */
  IPV6_ADD_MEMBERSHIP: ipv6.writeOnly(c.IPV6_ADD_MEMBERSHIP, membership6),
  IPV6_AUTOFLOWLABEL: ipv6.readWrite(c.IPV6_AUTOFLOWLABEL, boolean),
  /** Where in a raw packet the checksum is; -1: nowhere. */
  IPV6_CHECKSUM: rawIpv6.readWrite(c.IPV6_CHECKSUM, integer('bytes', -1)),
  IPV6_DONTFRAG: ipv6.readWrite(c.IPV6_DONTFRAG, boolean),
  /** Another name of IPV6_LEAVE_GROUP. */
  IPV6_DROP_MEMBERSHIP: ipv6.writeOnly(c.IPV6_DROP_MEMBERSHIP, membership6),
  IPV6_DSTOPTS: ipv6.readWrite(c.IPV6_DSTOPTS, binary(MAX_EXTENSION)),
  IPV6_FLOWINFO_SEND: ipv6.readWrite(c.IPV6_FLOWINFO_SEND, boolean),
  IPV6_FREEBIND: ipv6.readWrite(c.IPV6_FREEBIND, boolean),
  IPV6_HDRINCL: rawIpv6.readWrite(c.IPV6_HDRINCL, boolean),
  IPV6_HOPOPTS: ipv6.readWrite(c.IPV6_HOPOPTS, binary(MAX_EXTENSION)),
  IPV6_JOIN_ANYCAST: ipv6.writeOnly(c.IPV6_JOIN_ANYCAST, membership6),
  IPV6_JOIN_GROUP: ipv6.writeOnly(c.IPV6_JOIN_GROUP, membership6),
  IPV6_LEAVE_ANYCAST: ipv6.writeOnly(c.IPV6_LEAVE_ANYCAST, membership6),
  IPV6_LEAVE_GROUP: ipv6.writeOnly(c.IPV6_LEAVE_GROUP, membership6),
  IPV6_MINHOPCOUNT: ipv6.readWrite(c.IPV6_MINHOPCOUNT, integer('hops', 0, 255)),
  /** The path's MTU, of a connected socket. */
  IPV6_MTU: ipv6.readWrite(c.IPV6_MTU, integer('bytes', 0)),
  IPV6_MTU_DISCOVER: ipv6.readWrite(c.IPV6_MTU_DISCOVER, integer(undefined, 0, 5)),
  IPV6_MULTICAST_ALL: ipv6.readWrite(c.IPV6_MULTICAST_ALL, boolean),
  IPV6_MULTICAST_HOPS: ipv6.readWrite(c.IPV6_MULTICAST_HOPS, hops),
  IPV6_MULTICAST_IF: ipv6.readWrite(c.IPV6_MULTICAST_IF, interfaceNumber),
  IPV6_MULTICAST_LOOP: ipv6.readWrite(c.IPV6_MULTICAST_LOOP, boolean),
  IPV6_PATHMTU: ipv6.readOnly(c.IPV6_PATHMTU, pathMtu),
  IPV6_RECVDSTOPTS: ipv6.readWrite(c.IPV6_RECVDSTOPTS, boolean),
  IPV6_RECVERR: ipv6.readWrite(c.IPV6_RECVERR, boolean),
  IPV6_RECVERR_RFC4884: ipv6.readWrite(c.IPV6_RECVERR_RFC4884, boolean),
  IPV6_RECVFRAGSIZE: ipv6.readWrite(c.IPV6_RECVFRAGSIZE, boolean),
  IPV6_RECVHOPLIMIT: ipv6.readWrite(c.IPV6_RECVHOPLIMIT, boolean),
  IPV6_RECVHOPOPTS: ipv6.readWrite(c.IPV6_RECVHOPOPTS, boolean),
  IPV6_RECVORIGDSTADDR: ipv6.readWrite(c.IPV6_RECVORIGDSTADDR, boolean),
  IPV6_RECVPATHMTU: ipv6.readWrite(c.IPV6_RECVPATHMTU, boolean),
  IPV6_RECVPKTINFO: ipv6.readWrite(c.IPV6_RECVPKTINFO, boolean),
  IPV6_RECVRTHDR: ipv6.readWrite(c.IPV6_RECVRTHDR, boolean),
  IPV6_RECVTCLASS: ipv6.readWrite(c.IPV6_RECVTCLASS, boolean),
  /** Packets with this router alert come to the socket; -1: none. */
  IPV6_ROUTER_ALERT: rawIpv6.writeOnly(c.IPV6_ROUTER_ALERT, integer(undefined, -1, 0xffff)),
  IPV6_ROUTER_ALERT_ISOLATE: rawIpv6.readWrite(c.IPV6_ROUTER_ALERT_ISOLATE, boolean),
  IPV6_RTHDR: ipv6.readWrite(c.IPV6_RTHDR, binary(MAX_EXTENSION)),
  IPV6_RTHDRDSTOPTS: ipv6.readWrite(c.IPV6_RTHDRDSTOPTS, binary(MAX_EXTENSION)),
  IPV6_TCLASS: ipv6.readWrite(c.IPV6_TCLASS, byte),
  IPV6_TRANSPARENT: ipv6.readWrite(c.IPV6_TRANSPARENT, boolean),
  IPV6_UNICAST_HOPS: ipv6.readWrite(c.IPV6_UNICAST_HOPS, hops),
  IPV6_UNICAST_IF: ipv6.readWrite(c.IPV6_UNICAST_IF, interfaceInNetworkOrder),
  /** Only before bind. */
  IPV6_V6ONLY: ipv6.readWrite(c.IPV6_V6ONLY, boolean),
} as const;

/** The message types that a raw socket doesn't get. Source: raw(7), RFC 3542, section 3.2. */
export const icmpOptions = {
  ICMP_FILTER: icmp.readWrite(c.ICMP_FILTER, bitSet(32)),
  ICMP6_FILTER: icmp6.readWrite(c.ICMP6_FILTER, bitSet(256)),
} as const;
