export type { Codec, Decoder } from './codec.ts';
export { delimiter, type DelimiterOptions } from './delimiter.ts';
export { fixedSize, type FixedSizeOptions } from './fixed-size.ts';
export { FrameDecoder } from './frame-decoder.ts';
export { headed, type HeadedOptions } from './headed.ts';
export { jsonLines, type JsonLinesOptions } from './json-lines.ts';
export { lengthPrefix, type LengthPrefixOptions } from './length-prefix.ts';
export type { LineEncoding } from './line-text.ts';
export { lines, type LinesOptions } from './lines.ts';
export { mapped, type Mapping } from './mapped.ts';
export { netstring, type NetstringOptions } from './netstring.ts';
export {
  type FrameAction,
  FrameMalformedError,
  FrameTooLargeError,
  FrameTruncatedError,
  ProtocolError,
  type ProtocolErrorCode,
} from './protocol-error.ts';
export { ReliableReceiver, type ReceiverAction } from './sequenced/reliable-receiver.ts';
export {
  ReliableSender,
  type ReliableSenderOptions,
  type SenderAction,
} from './sequenced/reliable-sender.ts';
export {
  RetransmissionTimeout,
  type RetransmissionTimeoutOptions,
} from './sequenced/retransmission-timeout.ts';
export {
  SequenceCounter,
  type SequenceCounts,
  SequenceTracker,
  type SequenceVerdict,
} from './sequenced/sequence-tracker.ts';
export {
  ACK_BYTES,
  type AckPacket,
  DATA_HEADER_BYTES,
  type DataPacket,
  decodeSequenced,
  encodeSequenced,
  type SequencedPacket,
} from './sequenced/sequenced-packet.ts';
