import { MSG_MORE, MSG_WAITALL } from '../../constants/index.ts';
import { formatAddress } from '../../errors/index.ts';
import type { Socket } from '../../socket/index.ts';
import { type ReceiveInto, StagedReader } from './staged-reader.ts';
import type { FileRange, Wire } from './wire.ts';

const STAGE_BYTES = 64 * 1024;
/** A plain socket. Blocks are received into their place and sent from the page cache. */
export class SocketWire implements Wire {
  readonly encrypted = false;
  readonly peer: string;
  readonly #socket: Socket<number>;
  readonly #reader: StagedReader;
  #reason: Error | undefined;
  #sent: Promise<void> = Promise.resolve();
  #queued = 0;

  constructor(socket: Socket<number>) {
    this.#socket = socket;
    this.peer = peerOf(socket);
    const receive: ReceiveInto = (target, isDirect) =>
      socket.recvInto(target, undefined, isDirect ? MSG_WAITALL : 0);
    this.#reader = new StagedReader(receive, this.peer, STAGE_BYTES);
  }

  async fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    try {
      return await this.#reader.fill(buffer, from, to);
    } catch (error) {
      throw this.#reason ?? error;
    }
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
