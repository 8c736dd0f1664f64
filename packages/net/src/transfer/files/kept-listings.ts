// What listings of a transfer may stay in memory: some 30,000 names. Arbitrary.
const MAX_BYTES = 2 * 1024 * 1024;
// What a directory costs beside its names, roughly.
const DIRECTORY_BYTES = 256;

/** The listings of whole directories, as many as may be kept. */
export class KeptListings {
  readonly #listings = new Map<string, readonly Uint8Array[]>();
  readonly #most: number;
  #bytes = 0;

  constructor(most = MAX_BYTES) {
    this.#most = most;
  }

  /** Keeps a directory's listing, if there is room. */
  put(key: string, records: readonly Uint8Array[]): void {
    const bytes = records.reduce((sum, { length }) => sum + length, DIRECTORY_BYTES);
    if (!this.hasRoomFor(bytes)) return;
    this.#bytes += bytes;
    this.#listings.set(key, records);
  }

  has(key: string): boolean {
    return this.#listings.has(key);
  }

  hasRoomFor(bytes: number): boolean {
    return this.#bytes + bytes <= this.#most;
  }

  /** Gives a listing away; undefined where it isn't kept. */
  take(key: string): readonly Uint8Array[] | undefined {
    const records = this.#listings.get(key);
    this.#listings.delete(key);
    return records;
  }
}
