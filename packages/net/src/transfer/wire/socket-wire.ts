import { MSG_MORE, MSG_WAITALL } from '../../constants/index.ts';
import { formatAddress } from '../../errors/index.ts';
import type { Socket } from '../../socket/index.ts';
import { TransferError } from '../transfer-error.ts';
import type { FileRange, Wire } from './wire.ts';

const STAGE_BYTES = 64 * 1024;
// What is left of a block is received where it belongs; less than this goes through the stage, so
// that many small messages share a system call. Arbitrary.
const DIRECT_BYTES = 16 * 1024;

/** A plain socket. Blocks are received into their place and sent from the page cache. */
export class SocketWire implements Wire {
  readonly encrypted = false;
  readonly peer: string;
  readonly #socket: Socket<number>;
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  #from = 0;
  #to = 0;
  #reason: Error | undefined;
  #sent: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(socket: Socket<number>) {
    socket.settimeout(null);
    this.#socket = socket;
    this.peer = peerOf(socket);
  }

  async fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    let at = from + this.#takeStaged(buffer, from, to);
    try {
      while (at < to) {
        const got = await this.#receive(buffer, at, to);
        if (got === 0) {
          if (at === from) return false;
          throw new TransferError('connection', `Cannot receive: ${this.peer} left inside a frame`);
        }
        at += got;
      }
    } catch (error) {
      throw this.#reason ?? error;
    }
    return true;
  }

  #takeStaged(buffer: Buffer, from: number, to: number): number {
    const count = Math.min(to - from, this.#to - this.#from);
    this.#stage.copy(buffer, from, this.#from, this.#from + count);
    this.#from += count;
    return count;
  }

  async #receive(buffer: Buffer, at: number, to: number): Promise<number> {
    if (to - at >= DIRECT_BYTES) {
      return this.#socket.recvInto(buffer.subarray(at, to), undefined, MSG_WAITALL);
    }
    this.#to = await this.#socket.recvInto(this.#stage);
    this.#from = 0;
    return this.#takeStaged(buffer, at, to);
  }

  send(pieces: readonly Uint8Array[]): Promise<void> {
    const go = () => Promise.all(pieces.map((piece) => this.#socket.sendall(piece)));
    // Sends of one turn leave together, unless a file is on its way, which has to go first.
    return this.#queued === 0 ? this.#track(go()) : this.#enqueue(go);
  }

  readonly sendFile = (head: Uint8Array, file: FileRange): Promise<void> =>
    this.#enqueue(() => this.#sendFile(head, file));

  #enqueue(go: () => Promise<unknown>): Promise<void> {
    this.#queued++;
    return this.#track(this.#sent.then(go).finally(() => this.#queued--));
  }

  async #sendFile(head: Uint8Array, { fd, offset, count }: FileRange): Promise<void> {
    // The file's bytes follow: no segment for the head alone.
    const headed = this.#socket.sendall(head, MSG_MORE);
    const [bytes] = await Promise.all([this.#socket.sendfile(fd, offset, count), headed]);
    // The file became shorter. The frame must be as long as it said; the peer finds the block
    // damaged, asks for it again, and is told then.
    if (bytes < count) await this.#socket.sendall(Buffer.alloc(count - bytes));
  }

  /** Everything sent so far; sends happen in order, so the last one tells of all. */
  #track(sending: Promise<unknown>): Promise<void> {
    const settled = sending.then(
      () => undefined,
      (error: Error) => {
        // Part of a frame may be out: nothing behind it would make sense to the peer.
        this.abort(error);
        throw this.#reason ?? error;
      },
    );
    this.#sent = settled;
    settled.catch(() => undefined);
    return settled;
  }

  async close(): Promise<void> {
    await this.#sent.catch(() => undefined);
    this.#socket.close();
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#socket.close();
  }
}

/** Who is at the other end, in words. */
export function peerOf(socket: Socket<number>): string {
  try {
    return formatAddress(socket.getpeername()) || 'the peer';
  } catch {
    return 'the peer';
  }
}
