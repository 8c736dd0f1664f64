// oxlint-disable no-underscore-dangle -- what write(), end() and destroy() of a Node stream end in
import type { Duplex } from 'node:stream';
import { Socket } from '../socket/index.ts';
import { SocketDuplex } from '../socket/stream/index.ts';
import { readTcpInfo } from '../socket/options/read-tcp-info.ts';
import type { RecordedPath, Recorder } from './recorder.ts';
import { type TcpInfoReader, tcpInfoReader } from './tcp-info-reader.ts';

/**
 * `tap` for a Duplex: its `push()`, `_write()` and `_writev()` are watched.
 *
 * @returns a function that ends the recording
 */
export function tapStream(stream: Duplex, recorder: Recorder, path: RecordedPath): () => void {
  const info = path.info ?? infoOf(stream);
  const conversation = recorder.conversation({ ...path, info });
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

function infoOf(stream: Duplex): TcpInfoReader {
  const socket = stream instanceof SocketDuplex ? stream.socket : undefined;
  return socket instanceof Socket ? tcpInfoReader(socket) : nodeInfoReader(stream);
}

/** Where net.Socket and tls.TLSSocket keep their descriptor, which Node documents nowhere. */
interface NodeSocket {
  readonly _handle?: { readonly fd?: unknown } | null;
}

/** TCP_INFO of one of Node's own sockets; none where the descriptor can't be found. */
function nodeInfoReader(stream: Duplex & NodeSocket): TcpInfoReader {
  const read: TcpInfoReader = () => {
    const fd = stream._handle?.fd;
    return typeof fd === 'number' && fd >= 0 ? readTcpInfo(fd) : undefined;
  };
  const destroy = stream._destroy.bind(stream);
  let last: ReturnType<TcpInfoReader>;
  stream._destroy = (error, callback) => {
    last = read();
    destroy(error, callback);
  };
  return () => read() ?? last;
}
