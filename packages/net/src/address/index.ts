export type * from './address.ts';
export { htonl, htons, ntohl, ntohs } from './byte-order.ts';
export { decodeAddress } from './decode-address.ts';
export { encodeAddress, encodeAddressInto } from './encode-address.ts';
export { inetAton, inetNtoa, inetNtop, inetPton } from './inet.ts';
export { isNumericHost } from './numeric-host.ts';
export { MAX_ADDRESS_LENGTH } from './sockaddr.ts';
