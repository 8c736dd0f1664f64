import { AF_INET, AF_UNIX, SOCK_DGRAM, SOCK_STREAM } from '../constants/index.ts';
import { Socket } from './socket.ts';
import { socketpair } from './socketpair.ts';

export const LOOPBACK = { host: '127.0.0.1', port: 0 };

/** A listener on a free port of the loopback. */
export function listening(backlog?: number): Socket {
  const listener = new Socket();
  listener.bind(LOOPBACK);
  listener.listen(backlog);
  return listener;
}

export interface Pair<Family extends number = typeof AF_INET> extends Disposable {
  readonly client: Socket<Family>;
  readonly server: Socket<Family>;
}

/** Two ends of a TCP connection. */
export async function tcpPair(): Promise<Pair> {
  using listener = listening();
  const client = new Socket();
  const [[server]] = await Promise.all([listener.accept(), client.connect(listener.getsockname())]);
  return pairOf(client, server);
}

/** Two ends of a Unix stream. */
export function unixPair(type: number = SOCK_STREAM): Pair<number> {
  const [client, server] = socketpair(AF_UNIX as number, type);
  return pairOf(client, server);
}

/** Two UDP sockets that are connected to each other. */
export async function udpPair(): Promise<Pair> {
  const client = new Socket(AF_INET, SOCK_DGRAM);
  const server = new Socket(AF_INET, SOCK_DGRAM);
  client.bind(LOOPBACK);
  server.bind(LOOPBACK);
  await client.connect(server.getsockname());
  await server.connect(client.getsockname());
  return pairOf(client, server);
}

function pairOf<Family extends number>(
  client: Socket<Family>,
  server: Socket<Family>,
): Pair<Family> {
  return {
    client,
    server,
    [Symbol.dispose]() {
      client.close();
      server.close();
    },
  };
}

type Receiver = Pick<Socket, 'recv'>;

/** Receives until `size` bytes are there. */
export async function receiveExactly(socket: Receiver, size: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (let left = size; left > 0; ) {
    const chunk = await socket.recv(Math.min(left, 65_536));
    if (chunk.length === 0) throw new Error(`the stream ended ${left} bytes early`);
    chunks.push(chunk);
    left -= chunk.length;
  }
  return Buffer.concat(chunks);
}

/** Receives until the peer's FIN. */
export async function receiveAll(socket: Receiver): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await socket.recv(65_536);
    if (chunk.length === 0) return Buffer.concat(chunks);
    chunks.push(chunk);
  }
}

/**
 * Sends until the kernel takes no more; returns how many bytes it took. For Unix sockets: on TCP the
 * other end's kernel goes on taking bytes for a while.
 */
export function fill(socket: Pick<Socket, 'gettimeout' | 'settimeout' | 'sendSync'>): number {
  const chunk = Buffer.alloc(65_536, 'x');
  const timeout = socket.gettimeout();
  socket.settimeout(0);
  let sent = 0;
  try {
    for (;;) sent += socket.sendSync(chunk);
  } catch (error) {
    if ((error as { code?: string }).code !== 'EAGAIN') throw error;
  } finally {
    socket.settimeout(timeout);
  }
  return sent;
}
