/**
 * Packets from the kernel and from files, and the machine's sockets.
 *
 * - `read-capture.ts`, `capture-file.ts`: pcap and pcapng files, streamed, rotated
 *
 * @module
 */
export {
  CaptureFile,
  type CaptureFileOptions,
  type CaptureFileTarget,
} from './capture-file.ts';
export { readCapture, type ReadCaptureOptions } from './read-capture.ts';
