import type { TestContext } from 'node:test';
import { startPython } from '../command.test.util.ts';

/** The address of an echo server that stops for 200 ms once, 0.4 s after its client came. */
export async function stallingServer(t: TestContext): Promise<string> {
  const server = startPython(
    t,
    `import time
l = socket.create_server(('127.0.0.1', 0)); print(l.getsockname()[1])
c, _ = l.accept()
start = time.monotonic(); stalled = False
while data := c.recv(65536):
    if not stalled and time.monotonic() - start > 0.4: stalled = True; time.sleep(0.2)
    c.sendall(data)`,
  );
  const port = await server.until(({ stdout }) => /^(\d+)\n/.exec(stdout.toString())?.[1]);
  return `127.0.0.1:${port}`;
}
