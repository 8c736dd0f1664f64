import { AF_NETLINK, AF_PACKET, SOCK_RAW } from '../../constants/index.ts';
import { ifIndextoname } from '../../socket/index.ts';
import { diagDump } from './diag-dump.ts';
import { unlessMissing } from './inet-sockets.ts';
import { type OwnerlessSocket, stateName } from './listed-socket.ts';

// linux/packet_diag.h, linux/netlink_diag.h.
const PACKET_SHOW_INFO = 1;
const PACKET_DIAG_INFO = 0;
const PACKET_DIAG_UID = 4;
const PACKET_MESSAGE_BYTES = 16;
const NETLINK_ALL_PROTOCOLS = 255;
const NETLINK_MESSAGE_BYTES = 28;

/** Packet sockets: `local` is the EtherType and the interface. Source: sock_diag(7). */
export async function packetSockets(): Promise<OwnerlessSocket[]> {
  const request = Buffer.alloc(20);
  request[0] = AF_PACKET;
  request.writeUInt32LE(PACKET_SHOW_INFO, 8);
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
      receiveQueue: 0,
      sendQueue: 0,
      inode: body.readUInt32LE(4),
      ...(uid === undefined ? {} : { uid }),
    };
  });
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
  const messages = await diagDump(request).catch(unlessMissing);
  // struct netlink_diag_msg: family, type, protocol, state, portid, dst_portid, dst_group, inode.
  return messages
    .filter(({ body }) => body.length >= NETLINK_MESSAGE_BYTES)
    .map(({ body }) => ({
      family: 'netlink',
      type: body[1] === SOCK_RAW ? 'raw' : 'dgram',
      state: stateName(body[3] === 1 ? 1 : 7, false),
      local: `${body[2]}:${body.readUInt32LE(4)}`,
      peer: body.readUInt32LE(8) === 0 ? '' : String(body.readUInt32LE(8)),
      receiveQueue: 0,
      sendQueue: 0,
      inode: body.readUInt32LE(16),
    }));
}
