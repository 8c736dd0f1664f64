import { readFileSync } from 'node:fs';
import { AF_INET, AF_INET6, SO_SNDBUF, SOL_SOCKET } from '../../constants/index.ts';
import type { Socket } from '../../socket/index.ts';
import { WHOLE_WINDOW_BYTES, WINDOW_BYTES } from '../protocol/limits.ts';

// All that may be on its way without a word from the receiver.
const WANTED_BYTES = WINDOW_BYTES + WHOLE_WINDOW_BYTES;

/** What the kernel has for the send buffer of a TCP connection, in bytes. */
export interface SendBufferLimits {
  /** Up to which it grows one by itself. */
  readonly grownBytes: number;
  /** What a user may ask for; it gives twice as much. */
  readonly allowedBytes: number;
}

/**
 * Lets a TCP connection have the whole window on its way: 4 MiB, to which the kernel grows a send buffer
 * by itself, are 140 MiB/s at 20 ms. Where it allows no more than that the buffer is left alone, because
 * one whose size was asked for doesn't grow. Source: tcp(7), socket(7).
 */
export function widenSendBuffer(socket: Socket<number>, limits = sendBufferLimits()): void {
  if (socket.family !== AF_INET && socket.family !== AF_INET6) return;
  const askedBytes = Math.min(WANTED_BYTES / 2, limits.allowedBytes);
  if (2 * askedBytes > limits.grownBytes) socket.setsockopt(SOL_SOCKET, SO_SNDBUF, askedBytes);
}

/** Those of this system; where they are hidden, nothing may be asked for. */
export function sendBufferLimits(): SendBufferLimits {
  try {
    const grown = readFileSync('/proc/sys/net/ipv4/tcp_wmem', 'latin1').trim().split(/\s+/).at(-1);
    const allowed = readFileSync('/proc/sys/net/core/wmem_max', 'latin1');
    return { grownBytes: Number(grown), allowedBytes: Number(allowed) };
  } catch {
    return { grownBytes: 0, allowedBytes: 0 };
  }
}
