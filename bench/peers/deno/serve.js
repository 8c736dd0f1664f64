import { ready } from '../control.js';

/** Listens on 127.0.0.1, any port, and runs `handle` for each connection. */
export async function serve(handle) {
  const listener = Deno.listen({ hostname: '127.0.0.1', port: 0 });
  ready(listener.addr.port);
  for await (const connection of listener) {
    connection.setNoDelay();
    void run(handle, connection);
  }
}

async function run(handle, connection) {
  try {
    await handle(connection);
  } catch (error) {
    if (
      !(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)
    ) {
      throw error;
    }
  } finally {
    try {
      connection.close();
    } catch {
      // The streams of the file roles have closed it.
    }
  }
}

/** Writes all of it: Deno's write may be short. */
export async function writeAll(connection, data) {
  let written = await connection.write(data);
  while (written < data.length) written += await connection.write(data.subarray(written));
}
