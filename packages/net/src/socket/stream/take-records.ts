import type { TLSSocket } from 'node:tls';

/**
 * Takes each record when node:tls adds it to its stream, without the way through the stream's buffer
 * and events. The end goes that way, and so would a record that came by another: 'data'.
 *
 * @param take false stops the reading of the socket below, until `_read`
 */
export function takeRecords(tls: TLSSocket, take: (record: Buffer) => boolean): void {
  const push = tls.push.bind(tls);
  tls.on('data', take);
  tls.push = (chunk: Buffer | null, encoding?: BufferEncoding): boolean =>
    chunk === null || tls.readableLength > 0 ? push(chunk, encoding) : take(chunk);
}
