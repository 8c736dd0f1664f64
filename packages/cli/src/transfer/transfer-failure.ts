import { FileError, TransferError } from '@sockeye/net/transfer';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { reasonOf } from '../explain-error.ts';
import { escapeText } from '../text/escape-text.ts';
import { TRANSFER_EXIT } from './transfer-exit.ts';

/** The one line for a transfer that failed, and its exit status. */
export function transferFailure(action: string, error: unknown): CommandError {
  if (error instanceof CommandError) return error;
  if (error instanceof TransferError) {
    const message = `${escapeText(error.message, { keep: '' })}${hintOf(error)}`;
    return new CommandError(message, statusOf(error), { cause: error });
  }
  const reason = error instanceof FileError ? fileReason(action, error) : reasonOf(error);
  const message = `cannot ${action}: ${escapeText(reason, { keep: '' })}`;
  return new CommandError(message, EXIT.failed, { cause: error });
}

/** The file is named once: the action may have it. */
function fileReason(action: string, error: FileError): string {
  const reason = reasonOf(error);
  return action.endsWith(` ${error.path}`) ? reason : `${error.path}: ${reason}`;
}

function hintOf({ reason }: TransferError): string {
  return reason === 'secret' ? '; the right one is what the other side shows when it starts' : '';
}

function statusOf({ reason }: TransferError): number {
  if (reason === 'secret') return TRANSFER_EXIT.authentication;
  return reason === 'integrity' ? TRANSFER_EXIT.integrity : EXIT.failed;
}
