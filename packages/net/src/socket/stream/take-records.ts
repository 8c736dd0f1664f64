import type { TLSSocket } from 'node:tls';

/**
 * Takes each record when node:tls adds it to its stream, without the way through the stream's buffer
 * and events. The end goes that way, and so would a record that came by another: 'data'.
 */
export function takeRecords(tls: TLSSocket, take: (record: Buffer) => void): void {
  const push = tls.push.bind(tls);
  tls.on('data', take);
  tls.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean => {
    if (chunk === null || tls.readableLength > 0) return push(chunk, encoding);
    take(chunk);
    return true;
  };
}
