import { open } from 'node:fs/promises';
import { option } from '../../control.js';
import { listen } from '../listen.js';

const path = option('path');
// Written at once; arbitrary, as large as a socket's receive buffer gets in steps.
const BUFFER_BYTES = 256 << 10;

await listen(async (connection) => {
  const file = await open(path, 'w');
  const buffer = Buffer.allocUnsafe(BUFFER_BYTES);
  let got;
  while ((got = await connection.recvInto(buffer)) > 0) await file.write(buffer, 0, got);
  await file.close();
});
