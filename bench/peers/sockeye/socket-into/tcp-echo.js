import { listen } from '../listen.js';

// Grows while the peer's messages fill it, so that an idle connection stays cheap.
const FIRST_BYTES = 4 << 10;
const MAX_BYTES = 64 << 10;

await listen(async (connection) => {
  let buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  let got;
  while ((got = await connection.recvInto(buffer)) > 0) {
    await connection.sendall(buffer.subarray(0, got));
    if (got === buffer.length && got < MAX_BYTES) buffer = Buffer.allocUnsafeSlow(2 * got);
  }
});
