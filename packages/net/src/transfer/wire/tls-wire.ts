import { TlsTruncatedError } from '../../errors/index.ts';
import type { TlsStream } from '../../socket/stream/index.ts';
import { TransferError } from '../transfer-error.ts';
import type { Wire } from './wire.ts';

// Two records: small messages share a system call, and of a block little is copied.
const STAGE_BYTES = 32 * 1024;
// What is left of a block is opened where it belongs; a record fits into as much.
const DIRECT_BYTES = 16 * 1024;

// Small pieces that share records. Arbitrary.
const JOINED_BYTES = 64 * 1024;

/** An encrypted connection. Blocks are opened into their place. */
export class TlsWire implements Wire {
  readonly encrypted = true;
  readonly peer: string;
  readonly #stream: TlsStream;
  readonly #stage = Buffer.allocUnsafeSlow(STAGE_BYTES);
  #from = 0;
  #to = 0;
  #reason: Error | undefined;
  readonly #outgoing: Uint8Array[] = [];
  #isQueued = false;
  #sent: Promise<void> = Promise.resolve();

  constructor(stream: TlsStream, peer: string) {
    this.#stream = stream;
    this.peer = peer;
  }

  async fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    let at = from + this.#takeStaged(buffer, from, to);
    try {
      while (at < to) {
        const got = await this.#receive(buffer, at, to);
        if (got === 0) {
          if (at === from && this.#reason === undefined) return false;
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
    if (to - at >= DIRECT_BYTES) return this.#receiveInto(buffer.subarray(at, to));
    this.#to = await this.#receiveInto(this.#stage);
    this.#from = 0;
    return this.#takeStaged(buffer, at, to);
  }

  /** 0 at the end, with close_notify or without: messages of the transfer tell what is complete. */
  async #receiveInto(target: Buffer): Promise<number> {
    try {
      return (await this.#stream.receiveInto(target)) ?? 0;
    } catch (error) {
      if (error instanceof TlsTruncatedError) return 0;
      throw error;
    }
  }

  /** What is sent in one turn shares records and a system call. */
  send(pieces: readonly Uint8Array[]): Promise<void> {
    this.#outgoing.push(...pieces);
    if (this.#isQueued) return this.#sent;
    this.#isQueued = true;
    this.#sent = new Promise<void>((resolve) => process.nextTick(resolve)).then(() =>
      this.#flush(),
    );
    this.#sent.catch(() => undefined);
    return this.#sent;
  }

  /** Sends happen in order, so the last one tells of all. */
  async #flush(): Promise<void> {
    this.#isQueued = false;
    const pieces = joined(this.#outgoing.splice(0));
    try {
      await Promise.all(pieces.map((piece) => this.#stream.send(piece)));
    } catch (error) {
      // Part of a frame may be out: nothing behind it would make sense to the peer.
      this.abort(error as Error);
      throw this.#reason ?? error;
    }
  }

  async close(): Promise<void> {
    await this.#sent.catch(() => undefined);
    await this.#stream.shutdown();
    void this.#untilEnd();
  }

  /** What the peer still sends is no longer of interest, but its end is. */
  async #untilEnd(): Promise<void> {
    try {
      while ((await this.#stream.receiveInto(this.#stage)) !== undefined);
    } catch {
      // It is over all the same.
    }
    this.#stream.destroy();
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#stream.destroy();
  }
}

/** Small pieces that follow each other as one: memory is cheaper than a record of its own. */
function joined(pieces: readonly Uint8Array[]): readonly Uint8Array[] {
  const groups: Uint8Array[][] = [];
  let room = 0;
  for (const piece of pieces) {
    const group = groups.at(-1);
    if (group === undefined || piece.length > room) {
      groups.push([piece]);
      room = JOINED_BYTES;
    } else group.push(piece);
    room -= piece.length;
  }
  return groups.map((group) =>
    group.length === 1 ? (group[0] as Uint8Array) : Buffer.concat(group),
  );
}
