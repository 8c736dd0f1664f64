import { AF_NETLINK, AF_PACKET, SOCK_RAW } from '../../constants/index.ts';
import { ifIndextoname } from '../../socket/index.ts';
import { type MemoryInfo, memoryInfo } from '../../socket/options/memory-info.ts';
import { diagDump } from './diag-dump.ts';
import { unlessMissing } from './inet-sockets.ts';
import { type OwnerlessSocket, stateName } from './listed-socket.ts';

// linux/packet_diag.h, linux/netlink_diag.h.
const PACKET_SHOW_INFO = 1;
const PACKET_DIAG_INFO = 0;
const PACKET_SHOW_MEMINFO = 16;
const PACKET_DIAG_UID = 5;
const PACKET_DIAG_MEMINFO = 6;
const PACKET_MESSAGE_BYTES = 16;
const NDIAG_SHOW_MEMINFO = 1;
const NETLINK_DIAG_MEMINFO = 0;
const NETLINK_ALL_PROTOCOLS = 255;
const NETLINK_MESSAGE_BYTES = 28;

/** Packet sockets: `local` is the EtherType and the interface. Source: sock_diag(7). */
export async function packetSockets(): Promise<OwnerlessSocket[]> {
  const request = Buffer.alloc(20);
  request[0] = AF_PACKET;
  request.writeUInt32LE(PACKET_SHOW_INFO | PACKET_SHOW_MEMINFO, 8);
  const messages = await diagDump(request).catch(unlessMissing);
  return messages.map(({ body, attributes }) => {
    const found = attributes(PACKET_MESSAGE_BYTES);
    const index = found.get(PACKET_DIAG_INFO)?.readUInt32LE(0) ?? 0;
    const protocol = body.readUInt16LE(2);
    const uid = found.get(PACKET_DIAG_UID)?.readUInt32LE(0);
    return {
      family: 'packet',
      type: body[1] === SOCK_RAW ? 'raw' : 'dgram',
      state: stateName(7, false),
      local: `${protocol === 3 ? '*' : `0x${protocol.toString(16).padStart(4, '0')}`}:${interfaceText(index)}`,
      peer: '',
      ...queues(found.get(PACKET_DIAG_MEMINFO)),
      inode: body.readUInt32LE(4),
      ...(uid === undefined ? {} : { uid }),
    };
  });
}

/** These families count memory only: that of what waits, overhead included, is what ss shows. */
function queues(bytes: Buffer | undefined): {
  receiveQueue: number;
  sendQueue: number;
  memory?: MemoryInfo;
} {
  if (bytes === undefined) return { receiveQueue: 0, sendQueue: 0 };
  const memory = memoryInfo.decode(bytes);
  return { receiveQueue: memory.rmemAllocBytes, sendQueue: memory.wmemAllocBytes, memory };
}

function interfaceText(index: number): string {
  if (index === 0) return '*';
  try {
    return ifIndextoname(index);
  } catch {
    return String(index);
  }
}

/** Netlink sockets: `local` is the protocol's number and the port id. Source: sock_diag(7). */
export async function netlinkSockets(): Promise<OwnerlessSocket[]> {
  const request = Buffer.alloc(20);
  request[0] = AF_NETLINK;
  request[1] = NETLINK_ALL_PROTOCOLS;
  request.writeUInt32LE(NDIAG_SHOW_MEMINFO, 8);
  const messages = await diagDump(request).catch(unlessMissing);
  // struct netlink_diag_msg: family, type, protocol, state, portid, dst_portid, dst_group, inode.
  return messages
    .filter(({ body }) => body.length >= NETLINK_MESSAGE_BYTES)
    .map(({ body, attributes }) => ({
      family: 'netlink',
      type: body[1] === SOCK_RAW ? 'raw' : 'dgram',
      state: stateName(body[3] === 1 ? 1 : 7, false),
      local: `${body[2]}:${body.readUInt32LE(4)}`,
      peer: body.readUInt32LE(8) === 0 ? '' : String(body.readUInt32LE(8)),
      ...queues(attributes(NETLINK_MESSAGE_BYTES).get(NETLINK_DIAG_MEMINFO)),
      inode: body.readUInt32LE(16),
    }));
}
