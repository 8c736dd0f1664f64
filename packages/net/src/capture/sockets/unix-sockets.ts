import { AF_UNIX, SOCK_DGRAM, SOCK_SEQPACKET, SOCK_STREAM } from '../../constants/index.ts';
import { memoryInfo } from '../../socket/options/memory-info.ts';
import { type DiagMessage, diagDump } from './diag-dump.ts';
import { unlessMissing } from './inet-sockets.ts';
import { type OwnerlessSocket, stateName } from './listed-socket.ts';

// linux/unix_diag.h
const UNIX_DIAG_NAME = 0;
const UNIX_DIAG_PEER = 2;
const UNIX_DIAG_RQLEN = 4;
const UNIX_DIAG_MEMINFO = 5;
const UNIX_DIAG_UID = 7;
const SHOW_NAME = 1;
const SHOW_PEER = 4;
const SHOW_RQLEN = 16;
const SHOW_MEMINFO = 32;
const SHOW_UID = 64;
const REQUEST_BYTES = 24;
// struct unix_diag_msg: family, type, state, pad, inode, cookie.
const MESSAGE_BYTES = 16;

const TYPE_NAMES: ReadonlyMap<number, string> = new Map([
  [SOCK_STREAM, 'stream'],
  [SOCK_DGRAM, 'dgram'],
  [SOCK_SEQPACKET, 'seqpacket'],
]);

/** Unix sockets; a peer without a name is its inode. Source: sock_diag(7), unix(7). */
export async function unixSockets(): Promise<OwnerlessSocket[]> {
  const request = Buffer.alloc(REQUEST_BYTES);
  request[0] = AF_UNIX;
  request.writeUInt32LE(0xffffffff, 4);
  request.writeUInt32LE(SHOW_NAME | SHOW_PEER | SHOW_RQLEN | SHOW_MEMINFO | SHOW_UID, 12);
  const messages = await diagDump(request).catch(unlessMissing);
  const names = new Map(
    messages.map(({ body, attributes }) => [
      body.readUInt32LE(4),
      nameText(attributes(MESSAGE_BYTES).get(UNIX_DIAG_NAME)),
    ]),
  );
  return messages.map((message) => unixSocket(message, names));
}

function unixSocket(
  { body, attributes }: DiagMessage,
  names: ReadonlyMap<number, string>,
): OwnerlessSocket {
  const found = attributes(MESSAGE_BYTES);
  const queues = found.get(UNIX_DIAG_RQLEN);
  const peer = found.get(UNIX_DIAG_PEER)?.readUInt32LE(0);
  const uid = found.get(UNIX_DIAG_UID)?.readUInt32LE(0);
  const memory = found.get(UNIX_DIAG_MEMINFO);
  return {
    family: 'unix',
    type: TYPE_NAMES.get(body[1]!) ?? String(body[1]),
    state: stateName(body[2]!, false),
    local: nameText(found.get(UNIX_DIAG_NAME)),
    peer: peer === undefined ? '' : names.get(peer) || `inode ${peer}`,
    receiveQueue: queues?.readUInt32LE(0) ?? 0,
    sendQueue: queues?.readUInt32LE(4) ?? 0,
    inode: body.readUInt32LE(4),
    ...(uid === undefined ? {} : { uid }),
    ...(memory === undefined ? {} : { memory: memoryInfo.decode(memory) }),
  };
}

/** A path as it is, an abstract name with its zeros as `@`. */
function nameText(name: Buffer | undefined): string {
  if (name === undefined || name.length === 0) return '';
  return name[0] === 0
    ? name.toString('utf8').replaceAll('\0', '@')
    : name.toString('utf8').replace(/\0+$/, '');
}
