import type { UnixAddress } from '../address/index.ts';
import { AF_UNIX } from '../constants/index.ts';
import { UDPServer } from './udp-server.ts';

/**
 * A UDPServer on a Unix socket, `{ path }`; a client without a name of its own can't be answered.
 * Closing it removes the socket's file.
 *
 * Source: Python's socketserver.UnixDatagramServer.
 */
export class UnixDatagramServer extends UDPServer<UnixAddress> {
  static override addressFamily: number = AF_UNIX;
}
