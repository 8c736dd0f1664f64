import { listen } from '../listen.js';

await listen(async (connection) => {
  for await (const _ of connection) {
  }
});
