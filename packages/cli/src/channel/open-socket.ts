import {
  AddressInfoError,
  AF_UNIX,
  IPPROTO_TCP,
  SO_REUSEADDR,
  SOCK_DGRAM,
  SOCK_STREAM,
  Socket,
  SOL_SOCKET,
  TCP_NODELAY,
  TimeoutError,
} from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import { formatEndpoint } from '../address/format-address.ts';
import { resolveEndpoint, type Target } from '../address/resolve-endpoint.ts';
import { CommandError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';
import { EXIT } from '../exit-code.ts';
import { explainError, reasonOf } from '../explain-error.ts';
import { applyOptions, type OptionSetting, sourceAddress } from './socket-settings.ts';

/** How long each address has, and TLS again, unless told otherwise (docs: safety, "Bounds"). */
export const CONNECT_TIMEOUT_MS = 10_000;

export interface OpenSocketOptions {
  /** For each address; 10,000 unless given. Infinity waits. */
  readonly timeoutMs?: number | undefined;
  /** False leaves a socket of datagrams unconnected. */
  readonly connects?: boolean;
  /** Where to connect from. */
  readonly source?: string | undefined;
  readonly settings?: readonly OptionSetting[] | undefined;
  /** Whether small writes leave at once (TCP_NODELAY); true unless given. */
  readonly noDelay?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Makes of a socket, connected to a target, what is wanted. */
export type Finish<Opened> = (socket: Socket<number>, target: Target) => Opened | Promise<Opened>;

/**
 * Connects a socket to an endpoint; of a host with several addresses, to the first that answers.
 *
 * @param finish makes of the connected socket what is wanted; where it fails, the next address is tried
 * @throws CommandError with the one line that says why not; the signal's reason
 */
export async function openSocket<Opened>(
  endpoint: Endpoint,
  options: OpenSocketOptions,
  finish: Finish<Opened>,
): Promise<Opened> {
  const { signal, timeoutMs } = options;
  let last: unknown;
  for (const target of await resolveEndpoint(endpoint, 'client')) {
    try {
      return await openTarget(target, options, finish);
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof CommandError) throw error;
      last = error;
    }
  }
  if (last instanceof SourceError) throw new CommandError(last.message, undefined, { cause: last });
  if (isResetLater(endpoint, last)) {
    const name = formatEndpoint(endpoint);
    const message = `connected to ${name}, which then broke it off: ${reasonOf(last)}`;
    throw new CommandError(message, undefined, { cause: last });
  }
  const failure = explainError('connect to', endpoint, last);
  const isDeadline = timeoutMs !== undefined && last instanceof TimeoutError;
  throw isDeadline ? new CommandError(failure.message, EXIT.deadline, { cause: last }) : failure;
}

/** Who isn't there refuses (ECONNREFUSED): a reset is of a connection that was made. tcp(7). */
function isResetLater({ transport }: Endpoint, error: unknown): boolean {
  const isTcp = transport === 'tcp' || transport === 'tls';
  return isTcp && error instanceof Error && errorCode(error) === 'ECONNRESET';
}

async function openTarget<Opened>(
  target: Target,
  options: OpenSocketOptions,
  finish: Finish<Opened>,
): Promise<Opened> {
  const { timeoutMs = CONNECT_TIMEOUT_MS, signal, connects = true } = options;
  const socket = new Socket<number>(target.family, target.type);
  try {
    prepare(socket, target, options);
    socket.settimeout(Number.isFinite(timeoutMs) ? timeoutMs / 1000 : null);
    if (connects) await socket.connect(target.address, { signal });
    socket.settimeout(null);
    return await finish(socket, target);
  } catch (error) {
    socket.close();
    throw error;
  }
}

function prepare(
  socket: Socket<number>,
  { family, type, address }: Target,
  { source, settings, noDelay = true }: OpenSocketOptions,
): void {
  if (noDelay && 'host' in address && type === SOCK_STREAM) {
    socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  }
  applyOptions(socket, settings);
  // Without a name of its own a Unix datagram socket gets no answers: unix(7), "Autobind".
  if (source === undefined) {
    if (family === AF_UNIX && type === SOCK_DGRAM) socket.bind({ path: '' });
    return;
  }
  if (type === SOCK_STREAM) socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  const own = sourceAddress(family, source);
  try {
    socket.bind(own);
  } catch (error) {
    throw new SourceError(source, error);
  }
}

/** It is the socket's own address that is wrong: another address of the peer may go with it. */
class SourceError extends Error {
  constructor(source: string, cause: unknown) {
    const reason =
      cause instanceof AddressInfoError && cause.code === 'EAI_ADDRFAMILY'
        ? 'it is of another family than the address to connect to'
        : reasonOf(cause);
    super(`cannot use --source ${source}: ${reason}`, { cause });
  }
}
