export type { AlgRequest } from './alg-message.ts';
export {
  type AncillaryMessage,
  CMSG_LEN,
  CMSG_SPACE,
  type ReceivedAncillary,
} from './ancillary.ts';
export {
  type ConnectionAddress,
  type ConnectionOptions,
  createConnection,
  createConnectionSync,
} from './create-connection.ts';
export {
  createServer,
  type FamilyOf,
  hasDualstackIpv6,
  hasIpv6,
  type ServerSocketOptions,
} from './create-server.ts';
export { getdefaulttimeout, setdefaulttimeout } from './default-timeout.ts';
export {
  type BinaryFileMode,
  type FileWaitOptions,
  IncompleteReadError,
  type Newline,
  type ReadUntilOptions,
  SocketFile,
  type SocketFileOptions,
  type TextErrors,
  type TextFileMode,
} from './file/index.ts';
export {
  type ReceivedFds,
  recvFds,
  recvFdsSync,
  sendFds,
  sendFdsSync,
} from './file-descriptors.ts';
export { ifIndextoname, ifNameindex, ifNametoindex } from './interface-names.ts';
export type { ReceivedMessage, ReceivedMessageInto } from './message.ts';
export type { DatagramToSend } from './message-batch.ts';
export type { ReceivedDatagram } from './receive-batch.ts';
export {
  type ResolvedAddress,
  type AddressInfoHints,
  getaddrinfo,
  getaddrinfoSync,
  getfqdn,
  getfqdnSync,
  gethostbyaddr,
  gethostbyaddrSync,
  gethostbyname,
  gethostbynameEx,
  gethostbynameExSync,
  gethostbynameSync,
  gethostname,
  getnameinfo,
  getnameinfoSync,
  getprotobyname,
  getservbyname,
  getservbyport,
  type HostEntry,
  sethostname,
} from './names.ts';
export {
  type FilterInstruction,
  type GroupSource,
  type Interface,
  type ListedOption,
  type Membership4,
  type Membership6,
  type OptionInput,
  type OptionName,
  type OptionUnit,
  type OptionValue,
  type PacketMembership,
  type ReadableOption,
  type SourceFilter4,
  type SourceMembership4,
  type TcpInfo,
  type TcpMd5Key,
  TypedOptions,
  type WritableOption,
} from './options/index.ts';
export type { FileSource } from './send-file.ts';
export { Socket, type SocketOptions, type WaitOptions } from './socket.ts';
export type { SocketItem } from './socket-iterator.ts';
export { close, dup, fromFd, socket, socketpair } from './socketpair.ts';
export { relay } from './relay.ts';
export { setPipeSize } from './set-pipe-size.ts';
export { splice, type SpliceEnd, type SpliceOptions } from './splice.ts';
export {
  type SocketStreamOptions,
  TlsStream,
  type TlsStreamOptions,
  TlsTransport,
} from './stream/index.ts';
