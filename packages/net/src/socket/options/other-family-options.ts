import * as c from '../../constants/index.ts';
import { packetMembership } from './address-codecs.ts';
import { bitSet } from './list-codecs.ts';
import { count64, u16, u32, u64, u8 } from './native-words.ts';
import { optionsAt, type SocketKind } from './option-row.ts';
import { boolean, count, integer, timeval, unsigned } from './scalar-codecs.ts';
import { struct, structs } from './struct-codec.ts';

const of =
  (family: number, proto?: number) =>
  (kind: SocketKind): boolean =>
    kind.family === family && (proto === undefined || kind.proto === proto);

const packet = optionsAt(c.SOL_PACKET, of(c.AF_PACKET));
const netlink = optionsAt(c.SOL_NETLINK, of(c.AF_NETLINK));
// The level of vsock's options is the family.
const vsock = optionsAt(c.AF_VSOCK, of(c.AF_VSOCK));
const canRaw = optionsAt(c.SOL_CAN_RAW, of(c.AF_CAN, c.CAN_RAW));
const isotp = optionsAt(c.SOL_CAN_ISOTP, of(c.AF_CAN, c.CAN_ISOTP));
const j1939 = optionsAt(c.SOL_CAN_J1939, of(c.AF_CAN, c.CAN_J1939));
const tipc = optionsAt(c.SOL_TIPC, of(c.AF_TIPC));

// NETLINK groups are numbered from 1; generic netlink has the most, a few dozen.
const MAX_GROUPS = 1024;
// J1939_FILTER_MAX of linux/can/j1939.h.
const MAX_J1939_FILTERS = 512;

/** Source: packet(7), linux/if_packet.h. Rings need mmap(2) and are not here. */
export const packetOptions = {
  PACKET_ADD_MEMBERSHIP: packet.writeOnly(c.PACKET_ADD_MEMBERSHIP, packetMembership),
  PACKET_AUXDATA: packet.readWrite(c.PACKET_AUXDATA, boolean),
  PACKET_COPY_THRESH: packet.writeOnly(c.PACKET_COPY_THRESH, integer('bytes', 0)),
  PACKET_DROP_MEMBERSHIP: packet.writeOnly(c.PACKET_DROP_MEMBERSHIP, packetMembership),
  /** Sockets of one `id` share the packets by `mode` (PACKET_FANOUT_HASH …, with its flags). */
  PACKET_FANOUT: packet.readWrite(c.PACKET_FANOUT, struct({ id: u16, mode: u16 })),
  PACKET_IGNORE_OUTGOING: packet.readWrite(c.PACKET_IGNORE_OUTGOING, boolean),
  PACKET_LOSS: packet.readWrite(c.PACKET_LOSS, boolean),
  PACKET_ORIGDEV: packet.readWrite(c.PACKET_ORIGDEV, boolean),
  PACKET_QDISC_BYPASS: packet.readWrite(c.PACKET_QDISC_BYPASS, boolean),
  PACKET_RESERVE: packet.readWrite(c.PACKET_RESERVE, integer('bytes', 0)),
  PACKET_ROLLOVER_STATS: packet.readOnly(
    c.PACKET_ROLLOVER_STATS,
    struct({ all: count64, huge: count64, failed: count64 }),
  ),
  /** Since they were read last. */
  PACKET_STATISTICS: packet.takes(c.PACKET_STATISTICS, struct({ packets: u32, drops: u32 })),
  /** SOF_TIMESTAMPING_… flags. */
  PACKET_TIMESTAMP: packet.readWrite(c.PACKET_TIMESTAMP, integer()),
  PACKET_TX_HAS_OFF: packet.readWrite(c.PACKET_TX_HAS_OFF, boolean),
  /** TPACKET_V1, V2, V3. */
  PACKET_VERSION: packet.readWrite(c.PACKET_VERSION, integer(undefined, 0, 2)),
  PACKET_VNET_HDR: packet.readWrite(c.PACKET_VNET_HDR, boolean),
  PACKET_VNET_HDR_SZ: packet.readWrite(c.PACKET_VNET_HDR_SZ, integer('bytes', 0)),
} as const;

/** Source: netlink(7). */
export const netlinkOptions = {
  NETLINK_ADD_MEMBERSHIP: netlink.writeOnly(c.NETLINK_ADD_MEMBERSHIP, integer(undefined, 1)),
  NETLINK_BROADCAST_ERROR: netlink.readWrite(c.NETLINK_BROADCAST_ERROR, boolean),
  NETLINK_CAP_ACK: netlink.readWrite(c.NETLINK_CAP_ACK, boolean),
  NETLINK_DROP_MEMBERSHIP: netlink.writeOnly(c.NETLINK_DROP_MEMBERSHIP, integer(undefined, 1)),
  NETLINK_EXT_ACK: netlink.readWrite(c.NETLINK_EXT_ACK, boolean),
  NETLINK_GET_STRICT_CHK: netlink.readWrite(c.NETLINK_GET_STRICT_CHK, boolean),
  NETLINK_LISTEN_ALL_NSID: netlink.readWrite(c.NETLINK_LISTEN_ALL_NSID, boolean),
  NETLINK_LIST_MEMBERSHIPS: netlink.readOnly(c.NETLINK_LIST_MEMBERSHIPS, bitSet(MAX_GROUPS, 1)),
  NETLINK_NO_ENOBUFS: netlink.readWrite(c.NETLINK_NO_ENOBUFS, boolean),
  NETLINK_PKTINFO: netlink.readWrite(c.NETLINK_PKTINFO, boolean),
} as const;

/** Source: vsock(7), linux/vm_sockets.h. */
export const vsockOptions = {
  SO_VM_SOCKETS_BUFFER_MAX_SIZE: vsock.readWrite(c.SO_VM_SOCKETS_BUFFER_MAX_SIZE, count('bytes')),
  SO_VM_SOCKETS_BUFFER_MIN_SIZE: vsock.readWrite(c.SO_VM_SOCKETS_BUFFER_MIN_SIZE, count('bytes')),
  SO_VM_SOCKETS_BUFFER_SIZE: vsock.readWrite(c.SO_VM_SOCKETS_BUFFER_SIZE, count('bytes')),
  SO_VM_SOCKETS_CONNECT_TIMEOUT: vsock.readWrite(c.SO_VM_SOCKETS_CONNECT_TIMEOUT, timeval),
} as const;

/** Source: the kernel's Documentation/networking/can.rst, isotp.rst, j1939.rst. */
export const canOptions = {
  CAN_RAW_ERR_FILTER: canRaw.readWrite(c.CAN_RAW_ERR_FILTER, unsigned()),
  CAN_RAW_FD_FRAMES: canRaw.readWrite(c.CAN_RAW_FD_FRAMES, boolean),
  CAN_RAW_FILTER: canRaw.readWrite(
    c.CAN_RAW_FILTER,
    structs({ id: u32, mask: u32 }, c.CAN_RAW_FILTER_MAX),
  ),
  CAN_RAW_JOIN_FILTERS: canRaw.readWrite(c.CAN_RAW_JOIN_FILTERS, boolean),
  CAN_RAW_LOOPBACK: canRaw.readWrite(c.CAN_RAW_LOOPBACK, boolean),
  CAN_RAW_RECV_OWN_MSGS: canRaw.readWrite(c.CAN_RAW_RECV_OWN_MSGS, boolean),
  CAN_RAW_XL_FRAMES: canRaw.readWrite(c.CAN_RAW_XL_FRAMES, boolean),
  CAN_ISOTP_LL_OPTS: isotp.readWrite(
    c.CAN_ISOTP_LL_OPTS,
    struct({ mtu: u8, txDl: u8, txFlags: u8 }),
  ),
  CAN_ISOTP_OPTS: isotp.readWrite(
    c.CAN_ISOTP_OPTS,
    struct({
      flags: u32,
      frameTxtimeNs: u32,
      extAddress: u8,
      txpadContent: u8,
      rxpadContent: u8,
      rxExtAddress: u8,
    }),
  ),
  CAN_ISOTP_RECV_FC: isotp.readWrite(
    c.CAN_ISOTP_RECV_FC,
    struct({ bs: u8, stmin: u8, wftmax: u8 }),
  ),
  CAN_ISOTP_RX_STMIN: isotp.readWrite(c.CAN_ISOTP_RX_STMIN, unsigned('ns')),
  CAN_ISOTP_TX_STMIN: isotp.readWrite(c.CAN_ISOTP_TX_STMIN, unsigned('ns')),
  SO_J1939_ERRQUEUE: j1939.readWrite(c.SO_J1939_ERRQUEUE, boolean),
  SO_J1939_FILTER: j1939.writeOnly(
    c.SO_J1939_FILTER,
    structs(
      { name: u64, nameMask: u64, pgn: u32, pgnMask: u32, addr: u8, addrMask: u8 },
      MAX_J1939_FILTERS,
    ),
  ),
  SO_J1939_PROMISC: j1939.readWrite(c.SO_J1939_PROMISC, boolean),
  SO_J1939_SEND_PRIO: j1939.readWrite(c.SO_J1939_SEND_PRIO, integer(undefined, 0, 7)),
} as const;

/** Source: tipc(7), linux/tipc.h. */
export const tipcOptions = {
  TIPC_CONN_TIMEOUT: tipc.readWrite(c.TIPC_CONN_TIMEOUT, unsigned('ms')),
  TIPC_DEST_DROPPABLE: tipc.readWrite(c.TIPC_DEST_DROPPABLE, boolean),
  TIPC_IMPORTANCE: tipc.readWrite(c.TIPC_IMPORTANCE, integer(undefined, 0, 3)),
  TIPC_SRC_DROPPABLE: tipc.readWrite(c.TIPC_SRC_DROPPABLE, boolean),
} as const;
