import {
  AF_UNIX,
  IPPROTO_TCP,
  SHUT_WR,
  SOCK_DGRAM,
  Socket,
  SocketError,
  TCP_NODELAY,
  TimeoutError,
} from '@sockeye/net';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import { resolveEndpoint, type Target } from '../address/resolve-endpoint.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { explainError } from '../explain-error.ts';

// The rule for connecting unless told otherwise (docs: safety, "Bounds").
const CONNECT_TIMEOUT_MS = 10_000;
const STREAM_BYTES = 64 * 1024;
// Longer than any UDP datagram, and than a Unix message whose sender left SO_SNDBUF alone (212,992).
const MESSAGE_BYTES = 256 * 1024;

/** The other end, whatever its transport: streams end, messages stay whole. */
export class Peer implements Disposable {
  readonly endpoint: Endpoint;
  readonly keepsMessages: boolean;
  readonly isConnectionless: boolean;
  #socket: Socket<number>;

  constructor(endpoint: Endpoint, socket: Socket<number>) {
    this.endpoint = endpoint;
    this.keepsMessages = keepsMessages(endpoint.transport);
    this.isConnectionless = isConnectionless(endpoint.transport);
    this.#socket = socket;
  }

  /** Sends all of it: as one message where messages are kept. */
  async send(data: Uint8Array): Promise<void> {
    if (this.keepsMessages) await this.#socket.send(data);
    else await this.#socket.sendall(data);
  }

  /** What came next: a piece or a message; undefined at the end of the stream. */
  async receive(signal?: AbortSignal): Promise<Buffer | undefined> {
    const size = this.keepsMessages ? MESSAGE_BYTES : STREAM_BYTES;
    const data = await this.#socket.recv(size, 0, { signal });
    return data.length === 0 && !this.isConnectionless ? undefined : data;
  }

  /** Tells the peer that nothing more will come. Datagrams have no end to tell. */
  endSending(): void {
    if (this.isConnectionless) return;
    try {
      this.#socket.shutdown(SHUT_WR);
    } catch (error) {
      // The peer has gone meanwhile; the receive says how.
      if (!(error instanceof SocketError) || error.code !== 'ENOTCONN') throw error;
    }
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}

/**
 * Connects to an endpoint; of a host with several addresses, to the first that answers.
 *
 * @param timeoutMs for each address; undefined is the default
 * @throws CommandError with the one line that says why not
 */
export async function connectPeer(endpoint: Endpoint, timeoutMs?: number): Promise<Peer> {
  const targets = await resolveEndpoint(endpoint, 'client');
  let last: unknown;
  for (const target of targets) {
    try {
      return new Peer(endpoint, await connectTarget(target, timeoutMs ?? CONNECT_TIMEOUT_MS));
    } catch (error) {
      last = error;
    }
  }
  const failure = explainError('connect to', endpoint, last);
  const isDeadline = timeoutMs !== undefined && last instanceof TimeoutError;
  throw isDeadline ? new CommandError(failure.message, EXIT.deadline, { cause: last }) : failure;
}

async function connectTarget(target: Target, timeoutMs: number): Promise<Socket<number>> {
  const { family, type, address } = target;
  const socket = new Socket<number>(family, type);
  try {
    socket.settimeout(Number.isFinite(timeoutMs) ? timeoutMs / 1000 : null);
    // Without a name of its own a Unix datagram socket gets no answers: unix(7), "Autobind".
    if (family === AF_UNIX && type === SOCK_DGRAM) socket.bind({ path: '' });
    await socket.connect(address);
    if ('host' in address && type !== SOCK_DGRAM) socket.setsockopt(IPPROTO_TCP, TCP_NODELAY, 1);
    socket.settimeout(null);
    return socket;
  } catch (error) {
    socket.close();
    throw error;
  }
}
