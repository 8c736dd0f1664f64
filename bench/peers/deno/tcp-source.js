import { serve, writeAll } from './serve.js';

const chunk = new Uint8Array(64 << 10).fill(120);

await serve(async (connection) => {
  for (;;) await writeAll(connection, chunk);
});
