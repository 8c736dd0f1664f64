import { AF_NETLINK, NETLINK_SOCK_DIAG, SOCK_RAW } from '../../constants/index.ts';
import { SocketError } from '../../errors/index.ts';
import { Socket } from '../../socket/index.ts';

// linux/netlink.h, linux/sock_diag.h.
const SOCK_DIAG_BY_FAMILY = 20;
const NLM_F_REQUEST_DUMP = 0x301;
const NLMSG_ERROR = 2;
const NLMSG_DONE = 3;
const HEADER_BYTES = 16;
const ATTRIBUTE_HEADER_BYTES = 4;
// The kernel fills a dump's messages up to 32 KiB (NLMSG_GOODSIZE and more for a large buffer).
const RECEIVE_BYTES = 64 * 1024;

/** A message of a dump, without its header. */
export interface DiagMessage {
  readonly body: Buffer;
  /** What follows the first `fixedBytes`: attribute type → value, both views. */
  readonly attributes: (fixedBytes: number) => ReadonlyMap<number, Buffer>;
}

/**
 * Asks the kernel for all sockets that a request describes.
 *
 * @param request what follows struct nlmsghdr
 * @throws SocketError ENOENT where the kernel has no such table: its module isn't loaded
 * Source: sock_diag(7), netlink(7).
 */
export async function diagDump(request: Uint8Array): Promise<DiagMessage[]> {
  using socket = new Socket(AF_NETLINK, SOCK_RAW, NETLINK_SOCK_DIAG);
  const header = Buffer.alloc(HEADER_BYTES);
  header.writeUInt32LE(HEADER_BYTES + request.length, 0);
  header.writeUInt16LE(SOCK_DIAG_BY_FAMILY, 4);
  header.writeUInt16LE(NLM_F_REQUEST_DUMP, 6);
  await socket.sendto(Buffer.concat([header, request]), { pid: 0, groups: 0 });
  const messages: DiagMessage[] = [];
  while (takeMessages(await socket.recv(RECEIVE_BYTES), messages));
  return messages;
}

/** False after the last one. */
function takeMessages(datagram: Buffer, messages: DiagMessage[]): boolean {
  for (let at = 0; at + HEADER_BYTES <= datagram.length; ) {
    const length = datagram.readUInt32LE(at);
    if (length < HEADER_BYTES) return false;
    const type = datagram.readUInt16LE(at + 4);
    const body = datagram.subarray(at + HEADER_BYTES, at + length);
    if (type === NLMSG_DONE) return false;
    if (type === NLMSG_ERROR) throw new SocketError('sock_diag', -body.readInt32LE(0));
    messages.push({ body, attributes: (fixedBytes) => attributesOf(body, fixedBytes) });
    at += aligned(length);
  }
  return true;
}

function attributesOf(body: Buffer, from: number): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = from; at + ATTRIBUTE_HEADER_BYTES <= body.length; ) {
    const length = body.readUInt16LE(at);
    if (length < ATTRIBUTE_HEADER_BYTES) break;
    found.set(body.readUInt16LE(at + 2), body.subarray(at + ATTRIBUTE_HEADER_BYTES, at + length));
    at += aligned(length);
  }
  return found;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}
