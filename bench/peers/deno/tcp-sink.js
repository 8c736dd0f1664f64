import { serve } from './serve.js';

await serve(async (connection) => {
  const buffer = new Uint8Array(64 << 10);
  while ((await connection.read(buffer)) !== null) {}
});
