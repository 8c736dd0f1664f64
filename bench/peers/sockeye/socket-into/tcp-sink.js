import { listen } from '../listen.js';

const BUFFER_BYTES = 64 << 10;

await listen(async (connection) => {
  const buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  while ((await connection.recvInto(buffer)) > 0) {}
});
