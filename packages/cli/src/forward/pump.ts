import { SocketError, splice } from '@sockeye/net';
import type { Channel } from '../channel/channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';

// A connection that says little keeps little; one that fills its buffer gets a larger one.
const FIRST_BYTES = 16 * 1024;
// Measured, 1 GiB over loopback: 64 KiB and 256 KiB differ by less than two runs do.
const LAST_BYTES = 256 * 1024;

/** Is told of the bytes of each piece that has left. */
type Moved = (bytes: number) => void;

/**
 * Carries everything from one channel to the other, at the pace of the slower, and then the end.
 *
 * Between plain stream sockets a connection that carries much goes on within the kernel: splice(2)
 * needs a second call and a pipe, which pay once a piece has filled the largest buffer.
 */
export async function pump(from: Channel, to: Channel, moved: Moved): Promise<void> {
  const isPlain = canSplice(from) && canSplice(to);
  const hasEnded = await copy(from, to, moved, isPlain);
  if (!hasEnded && isPlain) await spliceRest(from, to, moved);
  await to.endSending();
}

function canSplice(channel: Channel): channel is SocketChannel {
  return channel instanceof SocketChannel && !channel.keepsMessages;
}

async function spliceRest(from: SocketChannel, to: SocketChannel, moved: Moved): Promise<void> {
  try {
    await splice(from.socket, to.socket, { onMoved: moved });
  } catch (error) {
    // No descriptor is left for a pipe; nothing was taken yet.
    if (!(error instanceof SocketError) || error.syscall !== 'pipe2') throw error;
    await copy(from, to, moved, false);
  }
}

/** @returns false where the rest is better spliced, which `untilBulk` asks for */
async function copy(
  from: Channel,
  to: Channel,
  moved: Moved,
  untilBulk: boolean,
): Promise<boolean> {
  if (from.receiveInto === undefined) {
    for (let data = await from.receive(); data !== undefined; data = await from.receive()) {
      await to.send(data);
      moved(data.length);
    }
    return true;
  }
  let buffer = Buffer.allocUnsafeSlow(from.keepsMessages ? LAST_BYTES : FIRST_BYTES);
  for (;;) {
    const bytes = await from.receiveInto(buffer);
    if (bytes === undefined) return true;
    await to.send(buffer.subarray(0, bytes));
    moved(bytes);
    if (bytes < buffer.length) continue;
    if (bytes < LAST_BYTES) buffer = Buffer.allocUnsafeSlow(bytes * 4);
    else if (untilBulk) return false;
  }
}
