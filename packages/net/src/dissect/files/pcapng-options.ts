import { CaptureFileError } from './capture-file-error.ts';
import { optionCode, padded } from './pcapng-format.ts';

const utf8 = new TextDecoder('utf-8');

/** A part of the file that options are read from. */
export interface OptionRange {
  readonly view: DataView;
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly littleEndian: boolean;
  /** Offset in the file of byte 0 of `bytes`. */
  readonly base: number;
}

/** The options of one block: code → values in file order. */
export class PcapngOptions {
  readonly #values = new Map<number, Uint8Array[]>();
  readonly #littleEndian: boolean;

  /** @throws CaptureFileError when an option is longer than its block */
  constructor(range: OptionRange) {
    this.#littleEndian = range.littleEndian;
    let at = range.start;
    while (at + 4 <= range.end) {
      const code = range.view.getUint16(at, range.littleEndian);
      const length = range.view.getUint16(at + 2, range.littleEndian);
      if (code === optionCode.end) return;
      if (at + 4 + length > range.end) {
        throw new CaptureFileError(
          `option length ${length}`,
          range.base + at + 2,
          `at most ${range.end - at - 4}`,
        );
      }
      const value = range.bytes.subarray(at + 4, at + 4 + length);
      const values = this.#values.get(code);
      if (values === undefined) this.#values.set(code, [value]);
      else values.push(value);
      at += 4 + padded(length);
    }
  }

  bytes(code: number): Uint8Array | undefined {
    return this.#values.get(code)?.[0];
  }

  text(code: number): string | undefined {
    const value = this.bytes(code);
    return value === undefined ? undefined : utf8.decode(value);
  }

  texts(code: number): readonly string[] | undefined {
    return this.#values.get(code)?.map((value) => utf8.decode(value));
  }

  u64(code: number): bigint | undefined {
    const value = this.bytes(code);
    if (value?.length !== 8) return undefined;
    const view = new DataView(value.buffer, value.byteOffset, 8);
    return view.getBigUint64(0, this.#littleEndian);
  }

  u32(code: number): number | undefined {
    const value = this.bytes(code);
    if (value?.length !== 4) return undefined;
    const view = new DataView(value.buffer, value.byteOffset, 4);
    return view.getUint32(0, this.#littleEndian);
  }
}
