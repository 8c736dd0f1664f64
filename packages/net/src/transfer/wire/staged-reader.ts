import { TransferError } from '../transfer-error.ts';

// What is left of a block is received where it belongs; less than this goes through the stage, so
// that many small messages share a receive. A record of TLS fits into as much.
const DIRECT_BYTES = 16 * 1024;

/** Receives into memory: how many bytes, 0 at the end of the stream. */
export type ReceiveInto = (target: Buffer, isDirect: boolean) => Promise<number>;

/** Fills memory from a connection: much at once straight, little through a stage. */
export class StagedReader {
  readonly #receiveInto: ReceiveInto;
  readonly #peer: string;
  readonly #stage: Buffer;
  #from = 0;
  #to = 0;

  /** @param stageBytes how much is received ahead of small messages */
  constructor(receiveInto: ReceiveInto, peer: string, stageBytes: number) {
    this.#receiveInto = receiveInto;
    this.#peer = peer;
    this.#stage = Buffer.allocUnsafeSlow(stageBytes);
  }

  /**
   * Fills buffer[from, to). False at the end of the stream before the first byte.
   *
   * @throws TransferError `connection` at an end inside; what the receive throws
   */
  async fill(buffer: Buffer, from: number, to: number): Promise<boolean> {
    let at = from + this.#takeStaged(buffer, from, to);
    while (at < to) {
      const got = await this.#receive(buffer, at, to);
      if (got === 0) {
        if (at === from) return false;
        throw new TransferError('connection', `Cannot receive: ${this.#peer} left inside a frame`);
      }
      at += got;
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
    if (to - at >= DIRECT_BYTES) return this.#receiveInto(buffer.subarray(at, to), true);
    this.#to = await this.#receiveInto(this.#stage, false);
    this.#from = 0;
    return this.#takeStaged(buffer, at, to);
  }
}
