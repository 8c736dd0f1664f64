import { hexText } from './text/hex-text.ts';

/** What a field can hold: a number, a number above 2^53, an address or text, a flag, or bytes (a view of the packet). */
export type FieldValue = number | bigint | string | boolean | Uint8Array;

/**
 * One named value of a layer and the bits of the packet that it was read from.
 *
 * `name` is Wireshark's (`ip.ttl`); `bits` is `[start, end)`, counted from the packet's first bit,
 * most significant bit first, and empty for what was derived (`tcp.len`). A `Uint8Array` value is a
 * view of the packet and changes with it.
 *
 * @example
 * ```ts
 * const ttl = new Field('ip.ttl', 64, 176, 184, undefined);
 * assert.deepEqual(ttl.bits, [176, 184]);
 * ```
 */
export class Field {
  readonly name: string;
  readonly value: FieldValue;
  readonly start: number;
  readonly end: number;
  readonly meaning: string | undefined;

  // Positional, for 50 of these are made for a TCP packet: 26 ns each.
  constructor(
    name: string,
    value: FieldValue,
    start: number,
    end: number,
    meaning: string | undefined,
  ) {
    this.name = name;
    this.value = value;
    this.start = start;
    this.end = end;
    this.meaning = meaning;
  }

  get bits(): readonly [start: number, end: number] {
    return [this.start, this.end];
  }

  /** Bytes become `02:04:05:b4`, 64-bit numbers decimal text, as in `tshark -T json`. */
  toJSON(): { name: string; value: string | number | boolean; meaning?: string; bits: number[] } {
    const { name, value, start, end, meaning } = this;
    const plain =
      value instanceof Uint8Array
        ? hexText(value)
        : typeof value === 'bigint'
          ? value.toString()
          : value;
    const bits = [start, end];
    return meaning === undefined
      ? { name, value: plain, bits }
      : { name, value: plain, meaning, bits };
  }
}
