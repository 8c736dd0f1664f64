import { lstatSync, unlinkSync } from 'node:fs';
import { Socket, SocketError } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import { formatEndpoint } from '../address/format-address.ts';
import type { Target } from '../address/resolve-endpoint.ts';
import { CommandError } from '../command-error.ts';

/**
 * Removes the file of a Unix socket that nobody has any more, which would refuse a bind for ever.
 *
 * @throws CommandError when somebody listens there, or the file is no socket
 */
export async function removeStaleSocketFile(endpoint: Endpoint, target: Target): Promise<void> {
  const path = 'path' in endpoint ? endpoint.path : '';
  if (path === '' || path.startsWith('\0')) return;
  const status = lstatSync(path, { throwIfNoEntry: false });
  if (status === undefined) return;
  const where = `cannot listen on ${formatEndpoint(endpoint)}`;
  if (!status.isSocket()) throw new CommandError(`${where}: the file exists and is no socket`);
  if (!(await isAbandoned(target))) {
    throw new CommandError(`${where}: another process listens there already (EADDRINUSE)`);
  }
  unlinkSync(path);
}

/** A connection to a file whose socket is gone is refused: connect(2). */
async function isAbandoned({ family, type, address }: Target): Promise<boolean> {
  using probe = new Socket<number>(family, type);
  probe.settimeout(0);
  try {
    await probe.connect(address);
    return false;
  } catch (error) {
    return error instanceof SocketError && error.code === 'ECONNREFUSED';
  }
}
