// oxlint-disable no-underscore-dangle -- write() and end() of a Node stream meet in _write and _writev only
import type { Duplex } from 'node:stream';
import type { RecordedPath, Recorder } from './recorder.ts';

/**
 * Records what passes through a Duplex: a `Socket`'s `stream()`, or one of Node's own sockets.
 *
 * The stream stays as it is, in flow and in errors: its `push()`, `_write()` and `_writev()` are
 * watched. Bytes
 * that a stream receives count when it has them, bytes that are sent when they are written to it.
 *
 * @returns a function that ends the recording
 *
 * @example
 * ```ts
 * const recorder = await Recorder.create('/dev/null');
 * const [left, right] = socketpair();
 * const path = { transport: 'tcp', local: { host: '::1', port: 1 }, remote: { host: '::1', port: 2 } } as const;
 * const stream = left.stream();
 * const untap = tap(stream, recorder, path);
 * stream.write('hello');
 * untap();
 * stream.destroy();
 * right.close();
 * await recorder.close();
 * assert.equal(recorder.dropped, 0);
 * ```
 */
export function tap(stream: Duplex, recorder: Recorder, path: RecordedPath): () => void {
  const conversation = recorder.conversation(path);
  // Below write() and end(), which both end here.
  const push = stream.push.bind(stream);
  const write = stream._write.bind(stream);
  const writev = stream._writev?.bind(stream);
  let isRemoteDone = false;
  stream.push = (chunk: unknown, encoding?: BufferEncoding): boolean => {
    if (chunk === null) isRemoteDone = true;
    else conversation.received(bytesOf(chunk, encoding));
    return push(chunk, encoding);
  };
  stream._write = (chunk: unknown, encoding, callback) => {
    conversation.sent(bytesOf(chunk, encoding));
    write(chunk, encoding, callback);
  };
  if (writev !== undefined) {
    stream._writev = (chunks, callback) => {
      for (const { chunk, encoding } of chunks) conversation.sent(bytesOf(chunk, encoding));
      writev(chunks, callback);
    };
  }
  const onClose = (): void => {
    const how = stream.errored === null ? 'fin' : 'reset';
    conversation.closed(isRemoteDone || how === 'reset' ? 'remote' : 'local', how);
  };
  stream.once('close', onClose);
  return () => {
    stream.push = push;
    stream._write = write;
    if (writev !== undefined) stream._writev = writev;
    stream.off('close', onClose);
    conversation.closed('local');
  };
}

function bytesOf(chunk: unknown, encoding?: string): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  return Buffer.from(String(chunk), encoding as BufferEncoding | undefined);
}
