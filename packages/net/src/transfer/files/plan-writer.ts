/** Writes a plan of the native batch calls: numbers little-endian, names behind their length. */
export class PlanWriter {
  readonly #pieces: Uint8Array[] = [];

  number(value: number | bigint, bytes: 4 | 8): this {
    const field = Buffer.allocUnsafe(bytes);
    if (bytes === 8) field.writeBigInt64LE(BigInt.asIntN(64, BigInt(value)));
    else field.writeUInt32LE(Number(value));
    this.#pieces.push(field);
    return this;
  }

  name(name: string): this {
    const length = Buffer.allocUnsafe(2);
    const bytes = Buffer.from(name);
    length.writeUInt16LE(bytes.length);
    this.#pieces.push(length, bytes);
    return this;
  }

  bytes(bytes: Uint8Array): this {
    this.#pieces.push(bytes);
    return this;
  }

  /** A copy of all of it. */
  plan(): Buffer {
    return Buffer.concat(this.#pieces);
  }
}
