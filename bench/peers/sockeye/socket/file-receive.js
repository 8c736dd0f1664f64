import { open } from 'node:fs/promises';
import { splice } from '@sockeye/net';
import { option } from '../../control.js';
import { listen } from '../listen.js';

const path = option('path');

await listen(async (connection) => {
  const file = await open(path, 'w');
  await splice(connection, file.fd);
  await file.close();
});
