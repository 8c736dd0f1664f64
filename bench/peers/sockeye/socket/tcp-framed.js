// No cork: the answers of a turn leave together by themselves.
import { frame, FrameReader } from '../../frames.js';
import { listen } from '../listen.js';

await listen(async (connection) => {
  const reader = new FrameReader();
  for await (const chunk of connection) {
    const sent = [];
    reader.push(chunk, (message) => sent.push(connection.sendall(frame(message))));
    await Promise.all(sent);
  }
});
