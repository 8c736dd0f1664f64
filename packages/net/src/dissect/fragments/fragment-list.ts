import type { IpFragment } from './ip-fragment.ts';

const maxPacket = 65535;
// Bookkeeping a fragment costs besides its bytes, so that empty ones are bounded too; arbitrary.
const overheadBytes = 64;

/** The fragments of one packet that have arrived, in order of their offsets. */
export class FragmentList {
  /** When the first one arrived. */
  readonly seconds: number;
  readonly #parts: { offset: number; bytes: Uint8Array }[] = [];
  #header: Uint8Array | undefined;
  #length = -1;
  #bytes = 0;

  constructor(seconds: number) {
    this.seconds = seconds;
  }

  /** Bytes held. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Bytes of the whole payload, -1 until the last fragment has arrived. */
  get length(): number {
    return this.#length;
  }

  get header(): Uint8Array {
    return this.#header ?? new Uint8Array(0);
  }

  get isComplete(): boolean {
    if (this.#length < 0 || this.#header === undefined) return false;
    let reached = 0;
    for (const { offset, bytes } of this.#parts) {
      if (offset > reached) return false;
      reached = Math.max(reached, offset + bytes.length);
    }
    return reached === this.#length;
  }

  /** False when it contradicts the others: the packet is to be dropped. */
  add(fragment: IpFragment): boolean {
    const { offset, bytes, isLast } = fragment;
    const end = offset + bytes.length;
    // RFC 791 and RFC 8200 4.5: all but the last are multiples of eight bytes.
    if (end > maxPacket || (!isLast && bytes.length % 8 !== 0)) return false;
    if (this.#length >= 0 && (end > this.#length || (isLast && end !== this.#length))) return false;
    const isRepeated = this.#parts.some((part) => sameBytes(part, { offset, bytes }));
    if (isRepeated) return true;
    if (this.#parts.some((part) => part.offset < end && offset < part.offset + part.bytes.length)) {
      return false;
    }
    if (isLast) this.#length = end;
    if (offset === 0) this.#header = fragment.header;
    this.#insert({ offset, bytes: new Uint8Array(bytes) });
    return !isLast || (this.#parts.at(-1)?.offset ?? 0) <= offset;
  }

  copyTo(target: Uint8Array, at: number): void {
    for (const { offset, bytes } of this.#parts) target.set(bytes, at + offset);
  }

  #insert(part: { offset: number; bytes: Uint8Array }): void {
    let at = this.#parts.length;
    while (at > 0 && this.#parts[at - 1]!.offset > part.offset) at--;
    this.#parts.splice(at, 0, part);
    this.#bytes += part.bytes.length + overheadBytes;
  }
}

interface Part {
  readonly offset: number;
  readonly bytes: Uint8Array;
}

function sameBytes(one: Part, other: Part): boolean {
  return (
    one.offset === other.offset &&
    one.bytes.length === other.bytes.length &&
    one.bytes.every((byte, index) => byte === other.bytes[index])
  );
}
