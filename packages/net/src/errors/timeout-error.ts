import { ETIMEDOUT } from '../constants/index.ts';
import { SocketError } from './socket-error.ts';

/**
 * An operation didn't finish within the socket's timeout. The kernel's own ETIMEDOUT (a connection
 * that died) is a SocketError of that code instead.
 */
export class TimeoutError extends SocketError {
  /** The timeout that ran out, in seconds. */
  readonly timeout: number;

  constructor(syscall: string, timeout: number, address?: unknown) {
    super(syscall, ETIMEDOUT, {
      reason: `timed out after ${timeout} s`,
      ...(address === undefined ? {} : { address }),
    });
    this.timeout = timeout;
  }

  override get name(): string {
    return 'TimeoutError';
  }
}
