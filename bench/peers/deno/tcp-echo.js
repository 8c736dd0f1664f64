import { serve, writeAll } from './serve.js';

// Grows while the peer's messages fill it, so that an idle connection stays cheap.
const FIRST_BYTES = 4 << 10;
const MAX_BYTES = 64 << 10;

await serve(async (connection) => {
  let buffer = new Uint8Array(FIRST_BYTES);
  let got;
  while ((got = await connection.read(buffer)) !== null) {
    await writeAll(connection, buffer.subarray(0, got));
    if (got === buffer.length && got < MAX_BYTES) buffer = new Uint8Array(2 * got);
  }
});
