import type { Socket } from '../socket/index.ts';

/** What a peer sends, up to a newline or its end. */
export async function receiveLine(socket: Socket<number>): Promise<string> {
  let text = '';
  while (!text.endsWith('\n')) {
    const chunk = await socket.recv(65_536);
    if (chunk.length === 0) break;
    text += chunk.toString();
  }
  return text;
}
