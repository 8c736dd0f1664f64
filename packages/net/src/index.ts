export * from './address/index.ts';
export * from './constants/index.ts';
export {
  AddressInfoError,
  HostError,
  SocketError,
  TimeoutError,
  TlsTruncatedError,
} from './errors/index.ts';
export * from './framed/index.ts';
export * from './socket/index.ts';
