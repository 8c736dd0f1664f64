/**
 * Packets from the kernel and from files, and the machine's sockets.
 *
 * - `capture.ts`: live, from an AF_PACKET socket's ring; `packet-block.ts` reads the ring's blocks,
 *   `kernel-filter.ts` compiles filters for it
 * - `read-capture.ts`, `capture-file.ts`: pcap and pcapng files, streamed, rotated
 * - `recorder.ts`, `tap.ts`: one's own sockets as a capture, without any capability
 * - `sockets/`: the machine's sockets (sock_diag); `explain-connection.ts`: what limits one
 *
 * @module
 */
export {
  Capture,
  type CaptureOptions,
  type CaptureRecords,
  type CaptureStatistics,
} from './capture.ts';
export {
  CaptureFile,
  type CaptureFileOptions,
  type CaptureFileTarget,
} from './capture-file.ts';
export { dropCaptureCapabilities } from './drop-capture-capabilities.ts';
export { readCapture, type ReadCaptureOptions } from './read-capture.ts';
export { type ListedSocket, type SocketOwner, socketStates } from './sockets/listed-socket.ts';
export { listSockets, type ListSocketsOptions } from './sockets/list-sockets.ts';
export {
  type ConnectionFigures,
  explainConnection,
  type Explanation,
  type Limit,
  type TcpSample,
} from './explain-connection.ts';
export { RecordedConversation, type RecordedPath, Recorder } from './recorder.ts';
export { tap } from './tap.ts';
export type { TappedConnection } from './tap-socket.ts';
export { tcpInfoReader, type TcpInfoReader } from './tcp-info-reader.ts';
