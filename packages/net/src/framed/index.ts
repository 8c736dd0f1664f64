export type { ByteConnection } from './connection-channel.ts';
export { FrameTimeoutError } from './frame-timeout-error.ts';
export { framed, type FramedTarget } from './framed.ts';
export type { FramedOptions } from './framed-options.ts';
export type { MessageStream, RequestOptions } from './message-stream.ts';
export {
  type DatagramCounts,
  type DatagramEvents,
  type DatagramMessage,
  DatagramMessages,
} from './datagram-messages.ts';
export { framedDatagrams, type FramedDatagramsOptions } from './framed-datagrams.ts';
