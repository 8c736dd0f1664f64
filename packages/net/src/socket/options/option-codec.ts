/** What a value is, for those who show it. */
export type OptionUnit = 's' | 'ms' | 'µs' | 'ns' | 'bytes' | 'bytes/s' | 'segments' | 'hops';

/** How the bytes of an option become a value, and a value its bytes. */
export interface OptionCodec<Value, Input = Value> {
  readonly kind: 'boolean' | 'integer' | 'bigint' | 'duration' | 'string' | 'bytes' | 'struct';
  readonly unit?: OptionUnit | undefined;
  /** Room that getsockopt(2) gets, in bytes. */
  readonly size: number;
  /** Makes a value of the bytes that the kernel gave. */
  decode(bytes: Buffer): Value;
  /** Checks a value and makes its bytes: TypeError, RangeError. */
  encode(name: string, input: Input): Uint8Array;
}
