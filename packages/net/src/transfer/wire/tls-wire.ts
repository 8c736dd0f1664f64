import { TlsTruncatedError } from '../../errors/index.ts';
import type { TlsStream } from '../../socket/stream/index.ts';
import { StagedReader } from './staged-reader.ts';
import type { Wire } from './wire.ts';

// Two records: small messages share a system call, and of a block little is copied.
const STAGE_BYTES = 32 * 1024;
// Small pieces that share records. Arbitrary.
const JOINED_BYTES = 64 * 1024;
// How long the peer has to end, once all was said. Arbitrary.
const LINGER_MS = 2_000;

/** An encrypted connection. Blocks are opened into their place. */
export class TlsWire implements Wire {
  readonly encrypted = true;
  readonly peer: string;
  readonly #stream: TlsStream;
  readonly #reader: StagedReader;
  #reason: Error | undefined;
  readonly #outgoing: Uint8Array[] = [];
  #isQueued = false;
  #sent: Promise<void> = Promise.resolve();

  constructor(stream: TlsStream, peer: string) {
    this.#stream = stream;
    this.peer = peer;
    this.#reader = new StagedReader((target) => this.#receiveInto(target), peer, STAGE_BYTES);
  }

  async fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    try {
      const isFilled = await this.#reader.fill(buffer, from, to);
      if (isFilled || this.#reason === undefined) return isFilled;
    } catch (error) {
      throw this.#reason ?? error;
    }
    throw this.#reason;
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

  /** What the peer still sends is no longer of interest, but its end is: for a while. */
  async #untilEnd(): Promise<void> {
    const scratch = Buffer.allocUnsafe(STAGE_BYTES);
    const patience = setTimeout(() => this.#stream.destroy(), LINGER_MS);
    try {
      while ((await this.#stream.receiveInto(scratch)) !== undefined);
    } catch {
      // It is over all the same.
    }
    clearTimeout(patience);
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
