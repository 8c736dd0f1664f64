import type { Address, AddressInput } from '../address/index.ts';
import { SCM_RIGHTS, SOL_SOCKET } from '../constants/index.ts';
import { checkInteger, invalidType } from '../errors/index.ts';
import { type AncillaryMessage, CMSG_SPACE } from './ancillary.ts';
import type { ReceivedMessage } from './message.ts';
import type { Socket } from './socket.ts';

const INT_BYTES = 4;
const MAX_INT = 0x7fffffff;

/** A message and the descriptors that came with it. */
export interface ReceivedFds {
  readonly data: Buffer;
  /** Open, close-on-exec, and the caller's to close. */
  readonly fds: number[];
  /** MSG_CTRUNC when more came than there was room for; the kernel closed those. */
  readonly flags: number;
  readonly address: Address | null;
}

function rights(fds: unknown): AncillaryMessage[] {
  if (!Array.isArray(fds)) throw invalidType('fds', 'an array of descriptors', fds);
  const words = new Int32Array(fds.map((fd, i) => checkInteger(`fds[${i}]`, fd, 0, MAX_INT)));
  return [{ level: SOL_SOCKET, type: SCM_RIGHTS, data: new Uint8Array(words.buffer) }];
}

function fdsOf(message: ReceivedMessage): ReceivedFds {
  const { data, ancillary, flags, address } = message;
  const fds = ancillary
    .filter(({ level, type }) => level === SOL_SOCKET && type === SCM_RIGHTS)
    .flatMap(({ data: bytes }) =>
      Array.from({ length: Math.floor(bytes.length / INT_BYTES) }, (_, i) =>
        bytes.readInt32LE(i * INT_BYTES),
      ),
    );
  return { data, fds, flags, address };
}

const room = (maxFds: number): number =>
  CMSG_SPACE(checkInteger('maxFds', maxFds, 0, 0xffff) * INT_BYTES);

/**
 * Sends descriptors with data over an AF_UNIX socket. They stay open here.
 *
 * @param buffers at least one byte in all on a stream, or the descriptors have nothing to travel with
 * @returns bytes sent
 * @throws SocketError EBADF, ETOOMANYREFS, EINVAL (more than 253)
 * Source: unix(7), cmsg(3).
 */
export function sendFds(
  socket: Socket<number>,
  buffers: Uint8Array[],
  fds: number[],
  flags: number = 0,
  address: AddressInput | null = null,
): Promise<number> {
  try {
    return socket.sendmsg(buffers, rights(fds), flags, address);
  } catch (error) {
    return Promise.reject(error);
  }
}

/** `sendFds`, blocking the thread. */
export function sendFdsSync(
  socket: Socket<number>,
  buffers: Uint8Array[],
  fds: number[],
  flags: number = 0,
  address: AddressInput | null = null,
): number {
  return socket.sendmsgSync(buffers, rights(fds), flags, address);
}

/**
 * Receives data and up to `maxFds` descriptors.
 *
 * Source: unix(7), cmsg(3).
 */
export async function recvFds(
  socket: Socket<number>,
  size: number,
  maxFds: number,
  flags: number = 0,
): Promise<ReceivedFds> {
  return fdsOf(await socket.recvmsg(size, room(maxFds), flags));
}

/** `recvFds`, blocking the thread. */
export function recvFdsSync(
  socket: Socket<number>,
  size: number,
  maxFds: number,
  flags: number = 0,
): ReceivedFds {
  return fdsOf(socket.recvmsgSync(size, room(maxFds), flags));
}
