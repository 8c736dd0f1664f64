import { Buffer } from 'node:buffer';
import { frame, FrameReader } from '../frames.js';
import { serve, writeAll } from './serve.js';

await serve(async (connection) => {
  const reader = new FrameReader();
  const buffer = Buffer.alloc(64 << 10);
  let got;
  while ((got = await connection.read(buffer)) !== null) {
    const answers = [];
    reader.push(buffer.subarray(0, got), (message) => answers.push(frame(message)));
    if (answers.length > 0) await writeAll(connection, Buffer.concat(answers));
  }
});
