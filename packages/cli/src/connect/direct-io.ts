import { fstatSync, readFileSync } from 'node:fs';
import { splice } from '@sockeye/net';
import type { Channel } from '../channel/channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';
import type { StdioOptions } from './join-stdio.ts';

// How often the idle clock learns that a file is on its way, and how often where somebody has set it.
const FILE_PIECE_BYTES = 4 * 1024 * 1024;
const TIMED_PIECE_BYTES = 64 * 1024;

/**
 * Moves everything between a descriptor and a socket without a look at it.
 *
 * @param moved is told of the bytes
 */
export type Move = (moved: (bytes: number) => void, signal: AbortSignal) => Promise<void>;

/** How stdin gets to the peer within the kernel; undefined where something looks at what it says. */
export function directInput(
  channel: Channel,
  { crlf, quit, replay, timeout }: StdioOptions,
): Move | undefined {
  if (!isPlain(channel) || crlf || quit !== undefined || replay !== undefined) return undefined;
  const { socket } = channel;
  const status = fstatSync(0);
  if (status.isFIFO()) {
    return async (onMoved, signal) => void (await splice(0, socket, { onMoved, signal }));
  }
  const start = status.isFile() ? positionOf(0) : undefined;
  if (start === undefined) return undefined;
  const piece = timeout === undefined ? FILE_PIECE_BYTES : TIMED_PIECE_BYTES;
  return async (moved, signal) => {
    for (let at = start, sent = piece; sent === piece; at += sent) {
      sent = await socket.sendfile(0, at, piece, { signal });
      moved(sent);
    }
  };
}

/**
 * The same of what the peer says, to stdout. With a timeout it goes another way: a wait within the
 * kernel doesn't tell a reader of stdout that is slow, which is no idleness, from a peer that is.
 */
export function directOutput(channel: Channel, { json, timeout }: StdioOptions): Move | undefined {
  if (!isPlain(channel) || json || timeout !== undefined) return undefined;
  if (!fstatSync(1).isFIFO()) return undefined;
  return async (onMoved, signal) => {
    await channel.begun(signal);
    await splice(channel.socket, 1, { onMoved, signal });
  };
}

function isPlain(channel: Channel): channel is SocketChannel {
  return channel instanceof SocketChannel && !channel.keepsMessages;
}

/** Where a file will be read next, which may be behind what a shell has read: proc(5). */
function positionOf(fd: number): number | undefined {
  try {
    const found = /^pos:\s*(\d+)$/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'));
    return found === null ? undefined : Number(found[1]);
  } catch {
    return undefined;
  }
}
