import { ETIMEDOUT } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import type { DeadlineKind } from './connection.ts';

/** A deadline of the server ended the connection. */
export class ConnectionTimeoutError extends SocketError {
  readonly deadline: DeadlineKind;

  constructor(deadline: DeadlineKind, timeoutMs: number) {
    super('connection', ETIMEDOUT, {
      reason: `closed by the server: ${deadline} deadline of ${timeoutMs} ms`,
    });
    this.deadline = deadline;
  }

  override get name(): string {
    return 'ConnectionTimeoutError';
  }
}
