// Arbitrary; it grows.
const FIRST_BYTES = 16 * 1024;

/**
 * Writes plans of the native batch calls, one after the other into the same memory: numbers
 * little-endian, names behind their length.
 */
export class PlanWriter {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  number(value: number | bigint, bytes: 4 | 8): this {
    const to = this.#room(bytes);
    if (bytes === 4) to.writeUInt32LE(Number(value), this.#length);
    else if (typeof value === 'bigint') {
      to.writeBigInt64LE(BigInt.asIntN(64, value), this.#length);
    } else {
      const high = Math.floor(value / 2 ** 32);
      to.writeUInt32LE(value - high * 2 ** 32, this.#length);
      to.writeInt32LE(high, this.#length + 4);
    }
    this.#length += bytes;
    return this;
  }

  name(name: string): this {
    const length = Buffer.byteLength(name);
    const to = this.#room(2 + length);
    to.writeUInt16LE(length, this.#length);
    to.write(name, this.#length + 2);
    this.#length += 2 + length;
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#room(bytes.length).set(bytes, this.#length);
    this.#length += bytes.length;
    return this;
  }

  /** What was written, a view that the next plan overwrites. */
  plan(): Buffer {
    const plan = this.#bytes.subarray(0, this.#length);
    this.#length = 0;
    return plan;
  }

  #room(count: number): Buffer {
    if (this.#length + count > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(2 * (this.#length + count));
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
