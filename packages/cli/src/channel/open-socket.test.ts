import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { CommandError } from '../command-error.ts';
import { startPython } from '../command.test.util.ts';
import { openSocket } from './open-socket.ts';

/** Whether the kernel has a connection to a port, whose own side was not reset. */
function isConnected(port: number): boolean {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const connection = new RegExp(`: [0-9A-F]{8}:[0-9A-F]{4} 0100007F:${hex} 0[1-9A-B] `);
  return connection.test(readFileSync('/proc/net/tcp', 'latin1'));
}

test('openSocket() says of a connection that was made and reset that it was made', async (t) => {
  const server = startPython(
    t,
    `import struct
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 0)); c.close()`,
  );
  const port = Number(await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]));
  const opening = openSocket({ transport: 'tcp', host: '127.0.0.1', port }, {}, (socket) => socket);
  opening.catch(() => undefined);
  // Only microtasks run until the call is made, and nothing until its connection was reset: what
  // comes of the call is fetched after that.
  for (let tries = 0; tries < 100 && !isConnected(port); tries++) await Promise.resolve();
  const deadline = performance.now() + 20_000;
  while (isConnected(port)) assert.ok(performance.now() < deadline, 'it was not reset');
  await assert.rejects(opening, (error) => {
    assert.ok(error instanceof CommandError);
    const expected = `connected to tcp://127.0.0.1:${port}, which then broke it off: connection reset by peer (ECONNRESET)`;
    assert.equal(error.message, expected);
    return true;
  });
});
