import type { LayerDefinition } from '../layer-definition.ts';
import type { Meanings, PacketReader } from '../packet-reader.ts';
import { etherType } from './ether-type.ts';
import { linkType } from './link-type.ts';

// AF_INET is 2 everywhere; AF_INET6 is 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS, 10 on Linux.
const inet6Families: ReadonlySet<number> = new Set([10, 24, 28, 30]);

const families: Meanings = (family) =>
  family === 2 ? 'IP' : inet6Families.has(family) ? 'IPv6' : undefined;

/** The family is in the byte order of the host that captured; families are small, so the order shows. */
function dissectFamily(packet: PacketReader): void {
  const big = packet.peek32(0);
  const little =
    (packet.peek8(0) |
      (packet.peek8(1) << 8) |
      (packet.peek8(2) << 16) |
      (packet.peek8(3) << 24)) >>>
    0;
  const family = Math.min(big, little);
  packet.skip(4);
  packet.span('null.family', family, packet.at - 4, packet.at, families(family));
  const type = inet6Families.has(family) ? etherType.ipv6 : family === 2 ? etherType.ipv4 : -1;
  packet.payload('ethertype', type);
}

/** BSD's loopback header (LINKTYPE_NULL and LINKTYPE_LOOP): four bytes of address family. */
export const nullLoopback: LayerDefinition = {
  protocol: 'null',
  announcedBy: { linktype: [linkType.null, linkType.loop] },
  dissect: dissectFamily,
};
