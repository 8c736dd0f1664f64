import type { Field, FieldValue } from './field.ts';

/**
 * One protocol's part of a packet: its fields in the order in which they were read, and its bytes
 * `[start, end)` in the packet without the payload that the next layer describes.
 */
export class Layer {
  readonly protocol: string;
  readonly fields: Field[] = [];
  readonly start: number;
  end: number;

  constructor(protocol: string, start: number) {
    this.protocol = protocol;
    this.start = start;
    this.end = start;
  }

  /** The first field of that name, or undefined. */
  field(name: string): Field | undefined {
    return this.fields.find((field) => field.name === name);
  }

  /** The value of the first field of that name, or undefined. */
  value(name: string): FieldValue | undefined {
    return this.field(name)?.value;
  }

  toJSON(): { protocol: string; fields: Field[] } {
    return { protocol: this.protocol, fields: this.fields };
  }
}
