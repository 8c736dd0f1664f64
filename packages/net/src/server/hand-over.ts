// Hand-over of listening sockets to a successor process, without a refused connection.
//
//   predecessor                                   successor
//   handOver(servers, path): listens on path
//                              ←──── connects ──── takeOver(path)
//   listener descriptors (SCM_RIGHTS) ──────────→ serves on the Sockets: both accept now
//                              ←── accepting ───── confirm()
//   removes path, stops listening ── stopped ───→ confirm() settles
//   drains
//
// The kernel's queue of a listening socket lives as long as one process has it open: nobody who
// connects is refused, and who waits in the queue is served by whoever accepts. If the successor
// dies before it confirms, nothing has happened.

import { fchmodSync, lstatSync, unlinkSync } from 'node:fs';
import { setImmediate, setTimeout } from 'node:timers/promises';
import { AF_UNIX, SO_PEERCRED, SOCK_SEQPACKET, SOL_SOCKET } from '../constants/index.ts';
import { invalidState, outOfRange, SocketError } from '../errors/index.ts';
import { recvFds, sendFds, Socket } from '../socket/index.ts';

// SCM_MAX_FD of the kernel, unix(7).
const MAX_LISTENERS = 253;
const MAX_MESSAGE_BYTES = 1_024;
const VERSION = 1;
// struct ucred, unix(7): pid, uid, gid, each 32 bits.
const UCRED_BYTES = 12;
const UID_WORD = 1;
/** How long the other side may take for its next step (safety.md 11). */
const STEP_SECONDS = 10;
// The longest pause of safety.md 8: nobody is in a hurry here.
const RETRY_MS = 1_000;

/** What can be handed over: `serve`'s servers and socketserver's. */
export interface HandOverServer {
  readonly listener: Socket<number>;
  stopListening(options: { keepPath: boolean }): void;
  drain(): Promise<void>;
}

interface Message {
  readonly version: number;
  readonly kind: 'listeners' | 'accepting' | 'stopped';
}

/** The Sockets of a predecessor. */
export interface TakenOver extends Disposable {
  /** Listening already, in the order in which they were handed over. */
  readonly listeners: readonly Socket<number>[];
  /**
   * Has the predecessor stop listening; to be called once this process accepts.
   *
   * @returns settles when it has: from then on `handOver` may use the path
   * @throws Error ERR_INVALID_STATE, SocketError when the predecessor is gone: it listens no more
   */
  confirm(): Promise<void>;
}

/** An offer to hand over. Leaving its scope takes it back. */
export interface HandOver extends Disposable {
  /** Settles when a successor has taken over and all handlers of the servers are done. */
  readonly done: Promise<void>;
  /** Offers no more; the servers go on. */
  close(): void;
}

const encode = (kind: Message['kind']): Buffer =>
  Buffer.from(JSON.stringify({ version: VERSION, kind } satisfies Message));

function expect(data: Buffer, kind: Message['kind']): void {
  if (data.length === 0) throw invalidState(`Cannot hand over: the peer left before '${kind}'`);
  const message = JSON.parse(data.toString()) as Message;
  if (message.version === VERSION && message.kind === kind) return;
  throw invalidState(
    `Cannot hand over: expected '${kind}' of version ${VERSION}, got ${data.toString()}`,
  );
}

/** Only this user's processes and root's: the socket's mode says so, and the kernel once more. */
function checkPeer(peer: Socket<number>): void {
  if (SO_PEERCRED === undefined || process.getuid === undefined) return;
  const bytes = peer.getsockopt(SOL_SOCKET, SO_PEERCRED, UCRED_BYTES);
  const uid = new Uint32Array(Uint8Array.from(bytes).buffer)[UID_WORD];
  if (uid === process.getuid() || uid === 0) return;
  throw invalidState(`Cannot hand over: the peer is of user ${uid}, not ${process.getuid()}`);
}

/** Binds with mode 0600: Linux takes the mode of the file from the socket's. */
function bindPrivately(listener: Socket<number>, path: string): void {
  fchmodSync(listener.fileno(), 0o600);
  try {
    listener.bind({ path });
  } catch (error) {
    if (!(error instanceof SocketError) || error.code !== 'EADDRINUSE' || !isStale(path))
      throw error;
    unlinkSync(path);
    listener.bind({ path });
  }
}

/** Whether a socket's file is left of a process that is gone. */
function isStale(path: string): boolean {
  // Other files refuse connections, too.
  if (lstatSync(path, { throwIfNoEntry: false })?.isSocket() !== true) return false;
  using probe = new Socket<number>(AF_UNIX, SOCK_SEQPACKET);
  try {
    probe.connectSync({ path });
    return false;
  } catch (error) {
    return error instanceof SocketError && error.code === 'ECONNREFUSED';
  }
}

/**
 * Offers the listening sockets of servers to a successor, which calls `takeOver` with the same
 * path. Once it accepts, the servers stop listening and drain; a Unix socket's file stays. The offer
 * doesn't keep the process alive.
 *
 * @param path of a Unix socket for the two to talk; made with mode 0600, a stale one is replaced
 * @throws SocketError EADDRINUSE when somebody offers there, EACCES, …; RangeError for more than
 *   253 servers
 * Source: unix(7), SCM_RIGHTS.
 *
 * @example
 * const path = `/tmp/hand-over-${process.pid}`;
 * const handler = (connection) => connection.sendall(Buffer.from('hello\n'));
 * const server = await serve({ host: '127.0.0.1', port: 0 }, handler);
 * const { done } = handOver([server], path);
 * // In the successor:
 * const taken = await takeOver(path);
 * await using successor = await serve(taken.listeners[0], handler);
 * await taken.confirm();
 * // And here:
 * await done;
 * assert.equal(server.ready, false);
 */
export function handOver(servers: readonly HandOverServer[], path: string): HandOver {
  if (servers.length < 1 || servers.length > MAX_LISTENERS)
    throw outOfRange('servers', `1…${MAX_LISTENERS} servers`, servers.length);
  const control = new Socket<number>(AF_UNIX, SOCK_SEQPACKET);
  try {
    bindPrivately(control, path);
    control.listen();
  } catch (error) {
    control.close();
    throw error;
  }
  const offer = new Offer(servers, control.unref(), path);
  return { done: offer.run(), close: () => offer.close(), [Symbol.dispose]: () => offer.close() };
}

class Offer {
  #servers: readonly HandOverServer[];
  #control: Socket<number>;
  #path: string;

  constructor(servers: readonly HandOverServer[], control: Socket<number>, path: string) {
    this.#servers = servers;
    this.#control = control;
    this.#path = path;
  }

  close(): void {
    if (this.#control.closed) return;
    this.#control.close();
    unlinkSync(this.#path);
  }

  /** One successor after the other, until one confirms; an offer that is taken back never settles. */
  async run(): Promise<void> {
    while (!(await this.#handOverToNext()));
    await Promise.all(this.#servers.map((server) => server.drain()));
  }

  async #handOverToNext(): Promise<boolean> {
    using peer = await this.#accept();
    peer.settimeout(STEP_SECONDS);
    try {
      checkPeer(peer);
      const fds = this.#servers.map(({ listener }) => listener.fileno());
      await sendFds(peer, [encode('listeners')], fds);
      expect(await peer.recv(MAX_MESSAGE_BYTES), 'accepting');
    } catch {
      // It has changed its mind, died, or is none of ours. The servers have gone on meanwhile.
      return false;
    }
    // A connection that the poller has just accepted is known to its server by the next turn.
    await setImmediate();
    this.close();
    for (const server of this.#servers) server.stopListening({ keepPath: true });
    // It needn't be there any more: it accepts, and that is what counts.
    await peer.send(encode('stopped')).catch(() => 0);
    return true;
  }

  async #accept(): Promise<Socket<number>> {
    for (;;) {
      try {
        const [peer] = await this.#control.accept();
        return peer.unref();
      } catch {
        if (this.#control.closed) return new Promise(() => undefined);
        // No descriptor or memory is free.
        await setTimeout(RETRY_MS, undefined, { ref: false });
      }
    }
  }
}

/**
 * Takes over the listening sockets of a predecessor that called `handOver` with the same path. Serve
 * on them (`serve(listener, …)`, `new TCPServer(listener, …)`), then `confirm()`.
 *
 * @returns undefined when nobody offers anything there: this process is the first
 * @throws SocketError; Error ERR_INVALID_STATE when the other side is no predecessor of this user's
 * Source: unix(7), SCM_RIGHTS.
 *
 * @example
 * using taken = await takeOver(`/tmp/nobody-offers-${process.pid}`);
 * const address = taken?.listeners[0] ?? { host: '127.0.0.1', port: 0 };
 * await using server = await serve(address, (connection) => connection.close());
 * await taken?.confirm();
 * assert.equal(taken, undefined);
 */
export async function takeOver(path: string): Promise<TakenOver | undefined> {
  const peer = new Socket<number>(AF_UNIX, SOCK_SEQPACKET);
  peer.settimeout(STEP_SECONDS);
  try {
    await peer.connect({ path });
    checkPeer(peer);
    return new Taken(peer, await receiveListeners(peer));
  } catch (error) {
    peer.close();
    if (error instanceof SocketError && ['ENOENT', 'ECONNREFUSED'].includes(error.code))
      return undefined;
    throw error;
  }
}

async function receiveListeners(peer: Socket<number>): Promise<Socket<number>[]> {
  const { data, fds } = await recvFds(peer, MAX_MESSAGE_BYTES, MAX_LISTENERS);
  const listeners = fds.map((fd) => new Socket<number>(undefined, undefined, undefined, { fd }));
  try {
    expect(data, 'listeners');
    return listeners;
  } catch (error) {
    for (const listener of listeners) listener.close();
    throw error;
  }
}

class Taken implements TakenOver {
  readonly listeners: readonly Socket<number>[];
  #peer: Socket<number>;
  #isConfirmed = false;

  constructor(peer: Socket<number>, listeners: readonly Socket<number>[]) {
    this.#peer = peer;
    this.listeners = listeners;
  }

  async confirm(): Promise<void> {
    if (this.#isConfirmed) throw invalidState('Cannot confirm: this was done before');
    this.#isConfirmed = true;
    try {
      await this.#peer.send(encode('accepting'));
      expect(await this.#peer.recv(MAX_MESSAGE_BYTES), 'stopped');
    } finally {
      this.#peer.close();
    }
  }

  /** Unconfirmed, it gives back what it took. */
  [Symbol.dispose](): void {
    this.#peer.close();
    if (this.#isConfirmed) return;
    for (const listener of this.listeners) listener.close();
  }
}
