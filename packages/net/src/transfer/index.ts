export type { Dialling, TransferAddress, TransferEndpoint } from './endpoint.ts';
export type { DirectorySinkOptions, Existing } from './files/directory-sink.ts';
export { FileError } from './files/file-error.ts';
export type { Quota } from './files/room-ledger.ts';
export type { ProtectionOptions } from './protection.ts';
export type { BlockHash } from './protocol/block-hash.ts';
export { BLOCK_BYTES } from './protocol/limits.ts';
export type { Entry } from './protocol/message.ts';
export type { Reason } from './protocol/reason.ts';
export type { ReceiptEntry, TransferReceipt } from './receipt.ts';
export {
  type FileReceiver,
  type ReceiveEvent,
  receiveFiles,
  type ReceiveOptions,
} from './receive-files.ts';
export { sendFiles, type SendOptions } from './send-files.ts';
export type { Decide } from './session/receiver-session.ts';
export type { OfferSummary, SinkFile, TransferSink } from './sink.ts';
export { TransferError, type TransferErrorCode } from './transfer-error.ts';
export type { TransferEvent } from './transfer-event.ts';
export {
  type Verification,
  type VerifiedEntry,
  verifyReceipt,
  type VerifyOptions,
} from './verify-receipt.ts';
export { generateSecret } from './wire/pairing-secret.ts';
export type { WireTimeouts } from './wire/message-wire.ts';
