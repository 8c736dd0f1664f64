import type { UnixAddress } from '../address/index.ts';
import { AF_UNIX } from '../constants/index.ts';
import { TCPServer } from './tcp-server.ts';

/**
 * A TCPServer on a Unix socket, `{ path }`. Closing it removes the socket's file.
 *
 * Source: Python's socketserver.UnixStreamServer.
 */
export class UnixStreamServer extends TCPServer<UnixAddress> {
  static override addressFamily: number = AF_UNIX;
}
