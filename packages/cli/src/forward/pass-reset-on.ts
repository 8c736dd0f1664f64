import { setTimeout as pause } from 'node:timers/promises';
import type { Channel } from '../channel/channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';

// Arbitrary: how long the peer has to take what was sent before the reset, and how often to look.
const AT_MOST_MS = 1000;
const LOOK_MS = 5;

/**
 * Closes a TCP connection with a reset, once its peer has what was sent before (tcp(7), TCP_INFO; a
 * reset at once would discard it: socket(7), SO_LINGER). Other channels are left as they are.
 */
export async function passResetOn(channel: Channel): Promise<void> {
  if (!(channel instanceof SocketChannel)) return;
  const { socket, endpoint } = channel;
  if (socket.closed || endpoint.transport !== 'tcp') return;
  try {
    const deadline = performance.now() + AT_MOST_MS;
    while (isUnderWay(channel) && performance.now() < deadline) await pause(LOOK_MS);
    if (socket.closed) return;
    socket.options.set('SO_LINGER', { onoff: true, seconds: 0 });
    socket.close();
  } catch {
    // It is gone already.
  }
}

function isUnderWay({ socket }: SocketChannel): boolean {
  if (socket.closed) return false;
  const { unackedSegments, notsentBytes } = socket.options.get('TCP_INFO');
  return unackedSegments > 0 || (notsentBytes ?? 0) > 0;
}
