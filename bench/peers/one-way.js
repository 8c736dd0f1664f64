// The rules of the one-way datagram roles, the same in every language: 4 bytes
// ask for the count so far (answer: 8 bytes, big-endian); 8 bytes ask for so
// many datagrams (first 4 bytes) of such a size (last 4).
import { Buffer } from 'node:buffer';

export const ASK_BYTES = 4;
export const REQUEST_BYTES = 8;

/** The answer to a request for the count. */
export function countAnswer(count) {
  const answer = Buffer.alloc(8);
  answer.writeBigUInt64BE(BigInt(count));
  return answer;
}

/** What a request of 8 bytes asks for. */
export function parseRequest(data) {
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  return { count: view.getUint32(0), size: view.getUint32(4) };
}
