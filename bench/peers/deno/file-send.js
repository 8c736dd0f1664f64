import { option } from '../control.js';
import { serve } from './serve.js';

const path = option('path');

await serve(async (connection) => {
  const file = await Deno.open(path);
  await file.readable.pipeTo(connection.writable);
});
