import { blockCount } from '../protocol/limits.ts';
import type { SinkFile } from '../sink.ts';
import type { OpenFile } from './open-file.ts';

/** A file that is there already and may be the same as the one that is sent. */
export class ComparedFile implements SinkFile {
  readonly isComparison = true;
  readonly keptBlocks: number;
  readonly #file: OpenFile;
  readonly #differs: () => Promise<SinkFile>;

  /** @param differs what happens when it is not the same */
  constructor(file: OpenFile, size: number, differs: () => Promise<SinkFile>) {
    this.#file = file;
    this.#differs = differs;
    this.keptBlocks = blockCount(size);
  }

  readKept(position: number, buffer: Uint8Array): Promise<number> {
    return this.#file.read(buffer, position);
  }

  write(): Promise<void> {
    throw new Error('unreachable: a comparison has all its blocks');
  }

  commit(): Promise<void> {
    return this.#file.close();
  }

  async differs(): Promise<SinkFile> {
    await this.#file.close();
    return this.#differs();
  }

  abandon(): Promise<void> {
    return this.#file.close();
  }
}
