import { CaptureFileError } from './capture-file-error.ts';
import type { CaptureItem } from './capture-item.ts';
import { ChunkWindow } from './chunk-window.ts';
import { blockType } from './pcapng-format.ts';
import { isPcapMagic, PcapItems } from './pcap-reader.ts';
import { PcapngItems } from './pcapng-reader.ts';

/** Bounds of a reader. */
export interface CaptureReaderOptions {
  /** One packet or block at most, in bytes; default 16 MiB, arbitrary: libpcap's largest packet is 256 KiB. */
  readonly maxRecordBytes?: number;
}

/**
 * Reads pcap (micro- and nanoseconds, both byte orders) and pcapng files from chunks of any size.
 *
 * `push(chunk)` yields the items that are complete now; what is left is kept until the next chunk
 * and never exceeds one record. Items hold views into the chunks, not copies. After an error every
 * call throws the same error: a wrong length leaves no place to go on from.
 *
 * @throws CaptureFileError with offset and expectation when the file contradicts its format
 *
 * @example
 * ```ts
 * const reader = new CaptureReader();
 * const header = Uint8Array.of(0xa1, 0xb2, 0xc3, 0xd4, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 0, 0, 0, 1);
 * assert.deepEqual([...reader.push(header)].map((item) => item.type), ['section', 'interface']);
 * reader.end();
 * ```
 */
export class CaptureReader {
  readonly #window = new ChunkWindow();
  readonly #maxRecordBytes: number;
  #items: PcapItems | PcapngItems | undefined;
  #failure: unknown;

  constructor(options: CaptureReaderOptions = {}) {
    this.#maxRecordBytes = options.maxRecordBytes ?? 16 * 1024 * 1024;
  }

  /** Takes the chunk at once, yields as the caller iterates; not iterating keeps the bytes for the next call. */
  push(chunk: Uint8Array): Iterable<CaptureItem> {
    this.#window.push(chunk);
    return this.#drain();
  }

  /**
   * Says that the file is over.
   *
   * @throws CaptureFileError when it ends inside a record, or is no capture file
   */
  end(): void {
    if (this.#failure !== undefined) throw this.#failure;
    const left = this.#window.length;
    if (left === 0 && this.#items !== undefined) return;
    const expected = this.#items === undefined ? 'a pcap or pcapng header' : 'the rest of a record';
    throw this.#fail(new CaptureFileError('end of file', this.#window.offset() + left, expected));
  }

  *#drain(): Generator<CaptureItem, void, undefined> {
    if (this.#failure !== undefined) throw this.#failure;
    try {
      this.#items ??= this.#detect();
      if (this.#items !== undefined) yield* this.#items.items();
    } catch (error) {
      throw this.#fail(error);
    }
  }

  #detect(): PcapItems | PcapngItems | undefined {
    const window = this.#window;
    if (window.length < 4) return undefined;
    const { bytes, start } = window;
    const magic = new DataView(bytes.buffer, bytes.byteOffset + start, 4).getUint32(0);
    if (isPcapMagic(magic)) return new PcapItems(window, this.#maxRecordBytes);
    if (magic === blockType.section) return new PcapngItems(window, this.#maxRecordBytes);
    throw new CaptureFileError(
      `magic ${magic.toString(16).padStart(8, '0')}`,
      0,
      'that of pcap or pcapng',
    );
  }

  #fail(error: unknown): unknown {
    this.#failure = error;
    return error;
  }
}
