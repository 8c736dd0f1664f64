import type { Address } from '@sockeye/net';
import type { Endpoint, Transport } from './address.ts';

/** The endpoint that a peer of a transport is, as the kernel reported its address. */
export function endpointOf(transport: Transport, address: Address | null): Endpoint {
  switch (transport) {
    case 'tcp':
    case 'udp':
    case 'tls': {
      const known = address !== null && 'host' in address ? address : { host: '', port: 0 };
      return { transport, host: known.host, port: known.port };
    }
    case 'unix':
    case 'unix-dgram':
    case 'unix-seqpacket': {
      const path = address !== null && 'path' in address ? address.path : '';
      return { transport, path: typeof path === 'string' ? path : Buffer.from(path).toString() };
    }
    case 'vsock': {
      const isVsock = address !== null && 'cid' in address && 'port' in address;
      const known = isVsock ? address : undefined;
      return { transport, cid: known?.cid, port: known?.port ?? 0 };
    }
    default:
      return transport satisfies never;
  }
}
