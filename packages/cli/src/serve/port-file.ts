import { renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { formatAddress } from '../address/format-address.ts';
import { reasonOf } from '../explain-error.ts';
import { CommandError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';
import type { BoundSocket } from './bind-endpoint.ts';

/** One line an address: its port, or the whole address where it has none. Appears all at once. */
export function writePortFile(file: string, bound: readonly BoundSocket[]): void {
  const lines = bound.map(({ socket, endpoint }) => {
    const address = socket.getsockname();
    return 'port' in address ? String(address.port) : formatAddress(endpoint.transport, address);
  });
  const temporary = `${file}.${process.pid}`;
  try {
    writeFileSync(temporary, `${lines.join('\n')}\n`, { flag: 'wx' });
    renameSync(temporary, file);
  } catch (error) {
    const code = errorCode(error);
    if (code !== 'EEXIST') unlinkQuietly(temporary);
    throw new CommandError(`cannot write --port-file ${file}: ${reasonOf(error)}`, 1, {
      cause: error,
    });
  }
}

function unlinkQuietly(file: string): void {
  try {
    unlinkSync(file);
  } catch {
    // It was never made.
  }
}
