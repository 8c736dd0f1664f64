import { blockCount } from '../protocol/limits.ts';
import type { SinkFile } from '../sink.ts';
import { TransferError } from '../transfer-error.ts';
import type { BigStats, OpenFile } from './open-file.ts';

export interface ComparedFileOptions {
  /** What happens when it is not the same. */
  differs(): Promise<SinkFile>;
  /** Absent where the file has been on the disk for long. */
  makeDurable?: (() => Promise<void>) | undefined;
}

/** A file that is there already and may be the same as the one that is sent. */
export class ComparedFile implements SinkFile {
  readonly isComparison = true;
  readonly keptBlocks: number;
  readonly #file: OpenFile;
  readonly #before: BigStats;
  readonly #options: ComparedFileOptions;

  /** @param before what the file was when its size was looked at */
  constructor(file: OpenFile, before: BigStats, options: ComparedFileOptions) {
    this.#file = file;
    this.#before = before;
    this.#options = options;
    this.keptBlocks = blockCount(Number(before.size));
  }

  readKept(position: number, buffer: Uint8Array): Promise<number> {
    return this.#file.read(buffer, position);
  }

  write(): Promise<void> {
    throw new Error('unreachable: a comparison has all its blocks');
  }

  async commit(): Promise<void> {
    try {
      await this.#options.makeDurable?.();
      const { size, mtimeNs } = await this.#file.stat();
      if (size !== this.#before.size || mtimeNs !== this.#before.mtimeNs) {
        throw new TransferError('exists', 'what has the name was written to while it was compared');
      }
    } finally {
      await this.#file.close();
    }
  }

  async differs(): Promise<SinkFile> {
    await this.#file.close();
    return this.#options.differs();
  }

  abandon(): Promise<void> {
    return this.#file.close();
  }
}
