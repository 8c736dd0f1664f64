import { AF_INET, AF_INET6, IPPROTO_RAW, IPPROTO_TCP, IPPROTO_UDP } from '../../constants/index.ts';
import { memoryInfo } from '../../socket/options/memory-info.ts';
import { tcpInfo } from '../../socket/options/tcp-info.ts';
import { ifIndextoname } from '../../socket/index.ts';
import { inetNtop } from '../../address/index.ts';
import { type DiagMessage, diagDump } from './diag-dump.ts';
import { type OwnerlessSocket, stateName } from './listed-socket.ts';

// linux/inet_diag.h: attributes, and the bits that ask for them.
const INET_DIAG_INFO = 2;
const INET_DIAG_CONG = 4;
const INET_DIAG_SKMEMINFO = 7;
const ASK_MEMORY = 1 << (INET_DIAG_SKMEMINFO - 1);
const ASK_ALL = ASK_MEMORY | (1 << (INET_DIAG_INFO - 1)) | (1 << (INET_DIAG_CONG - 1));
const ALL_STATES = 0xffffffff;
const REQUEST_BYTES = 56;
// struct inet_diag_msg.
const MESSAGE_BYTES = 72;

const TYPES = [
  ['tcp', IPPROTO_TCP],
  ['udp', IPPROTO_UDP],
  ['raw', IPPROTO_RAW],
] as const;

/** TCP, UDP and raw sockets of both IPs. Source: sock_diag(7). */
export async function inetSockets(
  types: readonly string[] = ['tcp', 'udp', 'raw'],
): Promise<OwnerlessSocket[]> {
  const found: OwnerlessSocket[] = [];
  for (const [type, protocol] of TYPES) {
    if (!types.includes(type)) continue;
    for (const family of [AF_INET, AF_INET6]) {
      const messages = await diagDump(request(family, protocol)).catch(unlessMissing);
      for (const message of messages) found.push(inetSocket(message, type));
    }
  }
  return found;
}

/** A kernel without the module has no such sockets either. */
export function unlessMissing(error: unknown): DiagMessage[] {
  const code = (error as { code?: unknown }).code;
  if (code === 'ENOENT' || code === 'EINVAL' || code === 'EPROTONOSUPPORT') return [];
  throw error;
}

function request(family: number, protocol: number): Buffer {
  const bytes = Buffer.alloc(REQUEST_BYTES);
  bytes[0] = family;
  bytes[1] = protocol;
  bytes[2] = protocol === IPPROTO_TCP ? ASK_ALL : ASK_MEMORY;
  bytes.writeUInt32LE(ALL_STATES, 4);
  return bytes;
}

//    0       1      2      3        4       6       8        24        40         44        52
//   | family| state| timer| retrans| ports, big    | source | dest.   | interface| cookie  | expires
//    56       60       64    68
//   | rqueue | wqueue | uid | inode
function inetSocket(message: DiagMessage, type: 'tcp' | 'udp' | 'raw'): OwnerlessSocket {
  const { body } = message;
  const family = body[0] === AF_INET ? 'inet' : 'inet6';
  const attributes = message.attributes(MESSAGE_BYTES);
  const info = attributes.get(INET_DIAG_INFO);
  const congestion = attributes.get(INET_DIAG_CONG);
  const memory = attributes.get(INET_DIAG_SKMEMINFO);
  const state = body[1]!;
  const hasInfo = type === 'tcp' && info !== undefined && info.length > 0;
  const zone = body.readUInt32LE(40);
  return {
    family,
    type,
    state: stateName(state, type === 'tcp'),
    local: addressText(body, { family, portAt: 4, at: 8, zone }),
    peer: addressText(body, { family, portAt: 6, at: 24, zone }),
    receiveQueue: body.readUInt32LE(56),
    sendQueue: body.readUInt32LE(60),
    uid: body.readUInt32LE(64),
    inode: body.readUInt32LE(68),
    ...(memory === undefined ? {} : { memory: memoryInfo.decode(memory) }),
    ...(hasInfo ? { tcpInfo: tcpInfo.decode(info) } : {}),
    ...(congestion === undefined
      ? {}
      : { congestionControl: congestion.toString('latin1').replace(/\0.*$/, '') }),
  };
}

interface Place {
  readonly family: 'inet' | 'inet6';
  readonly portAt: number;
  readonly at: number;
  readonly zone: number;
}

function addressText(body: Buffer, { family, portAt, at, zone }: Place): string {
  const bytes = body.subarray(at, at + (family === 'inet' ? 4 : 16));
  const port = body.readUInt16BE(portAt);
  const host = inetNtop(family === 'inet' ? AF_INET : AF_INET6, bytes);
  const isUnspecified = bytes.every((byte) => byte === 0);
  const shownPort = port === 0 ? '*' : String(port);
  if (isUnspecified && port === 0) return '*:*';
  const scope = zone !== 0 && !isUnspecified ? `%${interfaceText(zone)}` : '';
  return family === 'inet' ? `${host}${scope}:${shownPort}` : `[${host}${scope}]:${shownPort}`;
}

function interfaceText(index: number): string {
  try {
    return ifIndextoname(index);
  } catch {
    return String(index);
  }
}
