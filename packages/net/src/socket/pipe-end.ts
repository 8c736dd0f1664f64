import { SOCK_STREAM } from '../constants/index.ts';
import { Descriptor, type Wait } from './descriptor.ts';
import { SocketOrigin } from './socket-origin.ts';

/** A pipe that is waited for, by as many as wait. */
interface Shared {
  readonly descriptor: Descriptor;
  users: number;
}

const PIPE = new SocketOrigin({ family: -1, type: SOCK_STREAM, proto: 0 });
// A number can be in the poller once only, whoever waits for it.
const pipes = new Map<number, Shared>();

/** A pipe of the caller's, whose readiness is waited for while bytes move between it and a socket. */
export class PipeEnd implements Disposable {
  readonly #fd: number;
  readonly #shared: Shared;
  readonly #events: number;
  readonly #wait: Wait;
  readonly #closed = new AbortController();
  readonly #forget: () => void;

  /** @param socket the other end: when it is closed there is nothing left to wait for */
  constructor(
    fd: number,
    events: number,
    socket: Descriptor,
    { owner, signal }: Pick<Wait, 'owner' | 'signal'>,
  ) {
    this.#fd = fd;
    this.#events = events;
    this.#shared = pipes.get(fd) ?? {
      descriptor: new Descriptor(fd, PIPE),
      users: 0,
    };
    this.#shared.users++;
    pipes.set(fd, this.#shared);
    const { signal: closed } = this.#closed;
    this.#forget = socket.onLeave(() => this.#closed.abort());
    // Its pace is that of who is at its other end, which the socket's timeout says nothing about.
    this.#wait = {
      timeout: null,
      signal: signal === undefined ? closed : AbortSignal.any([signal, closed]),
      owner,
    };
  }

  get isReady(): boolean {
    return this.#shared.descriptor.ready(this.#events) !== 0;
  }

  /** Settles when the socket is closed, too; its next operation says so. */
  async untilReady(): Promise<void> {
    try {
      await this.#shared.descriptor.poll(this.#events, this.#wait);
    } catch (error) {
      if (!this.#closed.signal.aborted) throw error;
    }
  }

  /** The number stays open. */
  [Symbol.dispose](): void {
    this.#forget();
    if (--this.#shared.users > 0) return;
    pipes.delete(this.#fd);
    this.#shared.descriptor.detach();
  }
}
