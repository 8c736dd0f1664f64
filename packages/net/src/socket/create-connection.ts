// Connecting to a name: every address it has, staggered, the first that answers wins.
//
// RFC 8305 (Happy Eyeballs): the addresses come in getaddrinfo's order (RFC 6724); the families
// are interleaved so that a broken one costs one delay; the next attempt starts when the last one
// failed or after 250 ms (section 8 gives the figure). Attempts that lost are closed.

import type { InetAddress, UnixAddress } from '../address/index.ts';
import { AF_UNIX, IP_BIND_ADDRESS_NO_PORT, IPPROTO_IP, SOCK_STREAM } from '../constants/index.ts';
import { invalidType, TimeoutError } from '../errors/index.ts';
import type { FamilyOf } from './create-server.ts';
import { checkTimeout, getdefaulttimeout } from './default-timeout.ts';
import { type ResolvedAddress, getaddrinfo, getaddrinfoSync } from './names.ts';
import { Socket } from './socket.ts';

const ATTEMPT_DELAY_MS = 250;

export interface ConnectionOptions {
  /** Seconds for the whole of it, and the socket's timeout afterwards; default the default timeout. */
  readonly timeout?: number | null | undefined;
  /** Where to connect from. */
  readonly sourceAddress?: InetAddress | UnixAddress | undefined;
  /** Reject with an AggregateError of every attempt instead of the first one's error. */
  readonly allErrors?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Where createConnection goes: a host with a port, or a Unix socket. */
export type ConnectionAddress = InetAddress | UnixAddress;

function isUnix(address: unknown): address is UnixAddress {
  return typeof address === 'object' && address !== null && 'path' in address;
}

function checkAddress(address: unknown): asserts address is ConnectionAddress {
  if (isUnix(address)) return;
  const { host, port } = (address ?? {}) as Partial<InetAddress>;
  if (typeof host !== 'string' || typeof port !== 'number') {
    throw invalidType('address', '{ host, port } or { path }', address);
  }
}

/** The candidates with the families alternating, the first family's first. */
function interleave(found: readonly ResolvedAddress[]): ResolvedAddress[] {
  const first = found.filter(({ family }) => family === found[0]?.family);
  const second = found.filter(({ family }) => family !== found[0]?.family);
  const mixed: ResolvedAddress[] = [];
  for (let i = 0; i < Math.max(first.length, second.length); i++) {
    mixed.push(...first.slice(i, i + 1), ...second.slice(i, i + 1));
  }
  return mixed;
}

function unixCandidate(address: UnixAddress): ResolvedAddress {
  return {
    family: AF_UNIX,
    type: SOCK_STREAM,
    proto: 0,
    canonname: '',
    address,
  };
}

function open(candidate: ResolvedAddress, options: ConnectionOptions): Socket<number> {
  const socket = new Socket<number>(candidate.family, candidate.type, candidate.proto);
  try {
    if (options.sourceAddress !== undefined) bindTo(socket, options.sourceAddress);
  } catch (error) {
    socket.close();
    throw error;
  }
  return socket;
}

/**
 * With port 0 the kernel chooses the port in connect(2): it need only differ from those of the same
 * target, where bind(2) takes one that nobody uses, so that 28,000 connections are all of an address.
 * Source: IP_BIND_ADDRESS_NO_PORT in ip(7), for both families.
 */
function bindTo(socket: Socket<number>, address: InetAddress | UnixAddress): void {
  if (!isUnix(address) && address.port === 0 && IP_BIND_ADDRESS_NO_PORT !== undefined) {
    socket.setsockopt(IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, true);
  }
  socket.bind(address);
}

async function connectOne(
  candidate: ResolvedAddress,
  options: ConnectionOptions,
  signal: AbortSignal,
): Promise<Socket<number>> {
  const socket = open(candidate, options);
  try {
    await socket.connect(candidate.address, { signal });
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}

/** Starts the candidates one after the other; the first to connect ends the rest. */
function race(
  address: ConnectionAddress,
  candidates: ResolvedAddress[],
  options: ConnectionOptions,
): Promise<Socket<number>> {
  const losers = new AbortController();
  const errors: unknown[] = [];
  return new Promise((resolve, reject) => {
    let started = 0;
    let timer: NodeJS.Timeout | undefined;
    const finish = (): void => {
      clearTimeout(timer);
      clearTimeout(deadline);
      options.signal?.removeEventListener('abort', onAbort);
      losers.abort();
    };
    const give = (reason: unknown): void => {
      finish();
      reject(reason);
    };
    const onAbort = (): void => give(options.signal?.reason);
    const startNext = (): void => {
      clearTimeout(timer);
      const candidate = candidates[started++];
      if (candidate === undefined) return;
      if (started < candidates.length) timer = setTimeout(startNext, ATTEMPT_DELAY_MS);
      connectOne(candidate, options, losers.signal).then(
        (socket) => {
          if (losers.signal.aborted) return socket.close();
          finish();
          resolve(socket);
        },
        (error: unknown) => {
          errors.push(error);
          if (errors.length === candidates.length) give(failure(errors, options));
          else if (!losers.signal.aborted) startNext();
        },
      );
    };
    const seconds = options.timeout ?? null;
    const deadline =
      seconds === null
        ? undefined
        : setTimeout(() => give(new TimeoutError('connect', seconds, address)), seconds * 1000);
    options.signal?.addEventListener('abort', onAbort, { once: true });
    startNext();
  });
}

function failure(errors: unknown[], { allErrors }: ConnectionOptions): unknown {
  return allErrors === true
    ? new AggregateError(errors, `connect: all ${errors.length} attempts failed`)
    : errors[0];
}

function withTimeout(options: ConnectionOptions): ConnectionOptions {
  if (typeof options !== 'object' || options === null) {
    throw invalidType('options', '{ timeout, sourceAddress, allErrors, signal }', options);
  }
  const timeout = options.timeout === undefined ? getdefaulttimeout() : options.timeout;
  return { ...options, timeout: checkTimeout('timeout', timeout) };
}

/**
 * Connects a stream to a host and port, or to a Unix socket.
 *
 * Every address of the host is tried, IPv6 and IPv4 racing as RFC 8305 says.
 *
 * @returns a connected socket
 * @throws the first attempt's SocketError, or with `allErrors` an AggregateError of all;
 *   AddressInfoError; TimeoutError; the signal's reason
 *
 * @example
 * using listener = createServer({ host: '127.0.0.1', port: 0 });
 * using socket = await createConnection(listener.getsockname(), { timeout: 5 });
 * assert.equal(socket.gettimeout(), 5);
 */
export async function createConnection<To extends ConnectionAddress>(
  address: To,
  options: ConnectionOptions = {},
): Promise<Socket<FamilyOf<To>>> {
  checkAddress(address);
  const checked = withTimeout(options);
  checked.signal?.throwIfAborted();
  const candidates = isUnix(address)
    ? [unixCandidate(address)]
    : interleave(await getaddrinfo(address.host, address.port, { type: SOCK_STREAM }));
  checked.signal?.throwIfAborted();
  const socket = await race(address, candidates, checked);
  socket.settimeout(checked.timeout ?? null);
  return socket as unknown as Socket<FamilyOf<To>>;
}

/** `createConnection`, blocking the thread: one address after the other, each with the timeout. */
export function createConnectionSync<To extends ConnectionAddress>(
  address: To,
  options: Omit<ConnectionOptions, 'signal'> = {},
): Socket<FamilyOf<To>> {
  checkAddress(address);
  const checked = withTimeout(options);
  const candidates = isUnix(address)
    ? [unixCandidate(address)]
    : interleave(getaddrinfoSync(address.host, address.port, { type: SOCK_STREAM }));
  const errors: unknown[] = [];
  for (const candidate of candidates) {
    try {
      const socket = open(candidate, checked);
      try {
        socket.settimeout(checked.timeout ?? null);
        socket.connectSync(candidate.address);
        return socket as unknown as Socket<FamilyOf<To>>;
      } catch (error) {
        socket.close();
        throw error;
      }
    } catch (error) {
      errors.push(error);
    }
  }
  throw failure(errors, checked);
}
