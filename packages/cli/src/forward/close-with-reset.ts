import { setTimeout as pause } from 'node:timers/promises';
import { AF_INET, AF_INET6, type Socket } from '@sockeye/net';

// Arbitrary: how long the peer has to take what was sent before the reset, and how often to look.
const AT_MOST_MS = 1000;
const LOOK_MS = 5;

/**
 * Closes a connection so that its peer doesn't take the cut for an end: TCP with a reset, once the peer
 * has what was sent before (tcp(7), TCP_INFO; a reset at once would discard it: socket(7), SO_LINGER).
 * A Unix socket has no such thing: its peer gets one if it left bytes unread.
 */
export async function closeWithReset(socket: Socket<number>, close: () => void): Promise<void> {
  if (socket.closed) return;
  try {
    if (socket.family === AF_INET || socket.family === AF_INET6) {
      const deadline = performance.now() + AT_MOST_MS;
      while (isUnderWay(socket) && performance.now() < deadline) await pause(LOOK_MS);
      if (!socket.closed) socket.options.set('SO_LINGER', { onoff: true, seconds: 0 });
    }
  } catch {
    // It is gone already.
  }
  close();
}

function isUnderWay(socket: Socket<number>): boolean {
  if (socket.closed) return false;
  const { unackedSegments, notsentBytes } = socket.options.get('TCP_INFO');
  return unackedSegments > 0 || (notsentBytes ?? 0) > 0;
}
