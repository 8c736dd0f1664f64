import { ready } from '../control.js';

/**
 * Listens on 127.0.0.1, any port. Bun's write takes what the kernel takes, so
 * each connection carries the rest until `drain`; `drained` follows it.
 */
export function serve({ open, data, end, drained }) {
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { rest: undefined };
        socket.setNoDelay(true);
        open?.(socket);
      },
      data,
      drain(socket) {
        const { rest } = socket.data;
        socket.data.rest = undefined;
        if (rest === undefined || write(socket, rest)) drained?.(socket);
      },
      end(socket) {
        if (end === undefined) socket.end();
        else end(socket);
      },
      error() {},
    },
  });
  ready(server.port);
}

/** Writes, keeping a copy of what doesn't fit; false where something was kept. */
export function write(socket, chunk) {
  if (socket.data.rest !== undefined) {
    socket.data.rest = Buffer.concat([socket.data.rest, chunk]);
    return false;
  }
  const written = socket.write(chunk);
  if (written === chunk.length) return true;
  if (written >= 0) socket.data.rest = Buffer.from(chunk.subarray(written));
  return false;
}
