import type { Reason } from './protocol/reason.ts';

/** The `code` of a {@link TransferError}. */
export type TransferErrorCode = `ERR_TRANSFER_${Uppercase<string>}`;

/** A transfer, or one file of it, that did not end well. `reason` says whose doing it was. */
export class TransferError extends Error {
  readonly code: TransferErrorCode;
  readonly reason: Reason | 'secret' | 'connection';

  constructor(reason: Reason | 'secret' | 'connection', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
    this.code = `ERR_TRANSFER_${reason.replace('-', '_').toUpperCase()}` as TransferErrorCode;
  }

  override get name(): string {
    return 'TransferError';
  }
}
