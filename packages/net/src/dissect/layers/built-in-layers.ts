import type { LayerDefinition } from '../layer-definition.ts';
import { arp } from './arp.ts';
import { dhcp } from './dhcp.ts';
import { dns, dnsOverTcp, mdns } from './dns.ts';
import { ethernet } from './ethernet.ts';
import { http } from './http.ts';
import { icmp } from './icmp.ts';
import { icmpv6 } from './icmpv6.ts';
import { igmp } from './igmp.ts';
import { ipv4 } from './ipv4.ts';
import {
  ipsecAuthentication,
  ipv6Destination,
  ipv6Fragment,
  ipv6HopByHop,
  ipv6Routing,
} from './ipv6-extensions.ts';
import { ipv6 } from './ipv6.ts';
import { lengthPrefix } from './length-prefix.ts';
import { linuxSll } from './linux-sll.ts';
import { linuxSll2 } from './linux-sll2.ts';
import { llc } from './llc.ts';
import { nullLoopback } from './null-loopback.ts';
import { rawIp } from './raw-ip.ts';
import { sctp } from './sctp.ts';
import { tcp } from './tcp.ts';
import { tls } from './tls.ts';
import { udp } from './udp.ts';
import { serviceVlan, vlan } from './vlan.ts';
import { websocket } from './websocket.ts';

/** Every layer that the dissector knows; extend it with `[...builtInLayers, mine]`. */
export const builtInLayers: readonly LayerDefinition[] = [
  ethernet,
  llc,
  vlan,
  serviceVlan,
  linuxSll,
  linuxSll2,
  nullLoopback,
  rawIp,
  arp,
  ipv4,
  ipv6,
  ipv6HopByHop,
  ipv6Destination,
  ipv6Routing,
  ipv6Fragment,
  ipsecAuthentication,
  icmp,
  icmpv6,
  igmp,
  udp,
  tcp,
  sctp,
  dns,
  mdns,
  dnsOverTcp,
  dhcp,
  tls,
  http,
  websocket,
  lengthPrefix,
];
