import {
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
import { resolveEndpoint, type Target } from '../address/resolve-endpoint.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { explainError } from '../explain-error.ts';
import type { Channel } from './channel.ts';
import { SocketChannel } from './socket-channel.ts';
import { applyOptions, type OptionSetting, sourceAddress } from './socket-settings.ts';
import { tlsClient } from './tls-client.ts';
import type { TlsSettings } from './tls-flags.ts';

// The rule for connecting unless told otherwise (docs: safety, "Bounds").
const CONNECT_TIMEOUT_MS = 10_000;

export interface OpenOptions {
  /** For each address, and again for TLS; 10,000 unless given. Infinity waits. */
  readonly timeoutMs?: number | undefined;
  /** Where to connect from. */
  readonly source?: string | undefined;
  readonly settings?: readonly OptionSetting[] | undefined;
  readonly tls?: TlsSettings | undefined;
  /** Sent before everything else, TLS included. */
  readonly prologue?: Uint8Array | undefined;
}

/**
 * Connects to an endpoint; of a host with several addresses, to the first that answers.
 *
 * @throws CommandError with the one line that says why not
 */
export async function openChannel(endpoint: Endpoint, options: OpenOptions = {}): Promise<Channel> {
  const targets = await resolveEndpoint(endpoint, 'client');
  let last: unknown;
  for (const target of targets) {
    try {
      return await openTarget(endpoint, target, options);
    } catch (error) {
      if (error instanceof CommandError) throw error;
      last = error;
    }
  }
  const failure = explainError('connect to', endpoint, last);
  const isDeadline = options.timeoutMs !== undefined && last instanceof TimeoutError;
  throw isDeadline ? new CommandError(failure.message, EXIT.deadline, { cause: last }) : failure;
}

async function openTarget(
  endpoint: Endpoint,
  target: Target,
  options: OpenOptions,
): Promise<Channel> {
  const { timeoutMs = CONNECT_TIMEOUT_MS, prologue, tls = { insecure: false } } = options;
  const socket = new Socket<number>(target.family, target.type);
  try {
    prepare(socket, target, options);
    socket.settimeout(Number.isFinite(timeoutMs) ? timeoutMs / 1000 : null);
    await socket.connect(target.address);
    socket.settimeout(null);
    if (prologue !== undefined) await socket.sendall(prologue);
    if (endpoint.transport === 'tls') return await tlsClient(endpoint, socket, tls, timeoutMs);
    return new SocketChannel(endpoint, socket);
  } catch (error) {
    socket.close();
    throw error;
  }
}

function prepare(
  socket: Socket<number>,
  { family, type, address }: Target,
  { source, settings }: OpenOptions,
): void {
  if ('host' in address && type === SOCK_STREAM) socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
  applyOptions(socket, settings);
  // Without a name of its own a Unix datagram socket gets no answers: unix(7), "Autobind".
  if (source === undefined) {
    if (family === AF_UNIX && type === SOCK_DGRAM) socket.bind({ path: '' });
    return;
  }
  if (type === SOCK_STREAM) socket.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1);
  socket.bind(sourceAddress(family, source));
}
