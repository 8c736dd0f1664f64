import { AF_INET, AF_INET6, IPPROTO_UDP, SOCK_DGRAM } from '../constants/index.ts';

/** Whether a socket is UDP, on IPv4 or IPv6. */
export function isUdp({
  family,
  type,
  proto,
}: Record<'family' | 'type' | 'proto', number>): boolean {
  return (
    type === SOCK_DGRAM &&
    (family === AF_INET || family === AF_INET6) &&
    (proto === 0 || proto === IPPROTO_UDP)
  );
}
