import { serve, writeAll } from './serve.js';

await serve(async (connection) => {
  const buffer = new Uint8Array(64 << 10);
  let got;
  while ((got = await connection.read(buffer)) !== null) {
    await writeAll(connection, buffer.subarray(0, got));
  }
});
