import type { Entry } from '../protocol/message.ts';

const PIECE_BYTES = 64 * 1024;
/** Number of the parent's path, mode, seconds, nanoseconds, length of the name. */
const HEAD_BYTES = 4 + 2 + 8 + 4 + 1;
const MAX_NAME_BYTES = 255;
// Growing by half wastes less than doubling does.
const GROWTH = 1.5;

/**
 * Directories that wait for the end of a session, when they get their mode and time. There may be a
 * million of them, so each is kept as bytes: some 30 and its name, a tenth of what an Entry takes.
 *
 * Theory of operation. Ids only grow, so that a place in the list of ids is found by halving. The path of
 * a parent is kept once for the directories in it that follow one another.
 */
export class DirectoryLedger {
  readonly #pieces: Buffer[] = [];
  readonly #parents: string[] = [];
  #ids = new Uint32Array(64);
  /** Where each lies: piece × PIECE_BYTES + place in it; 0 for one that was given away. */
  #places = new Float64Array(64);
  #count = 0;
  #left = 0;
  // Behind the place that stands for nothing.
  #at = 1;

  get size(): number {
    return this.#left;
  }

  /** @param entry whose id is larger than those before */
  add({ id, path, mode, mtimeSeconds, mtimeNanoseconds }: Entry): void {
    const { piece, at } = this.#room();
    piece.writeUInt32LE(this.#parentNumber(path.slice(0, -1).join('/')), at);
    piece.writeUInt16LE(mode, at + 4);
    piece.writeDoubleLE(mtimeSeconds, at + 6);
    piece.writeUInt32LE(mtimeNanoseconds, at + 14);
    const length = piece.write(path.at(-1) as string, at + HEAD_BYTES);
    piece.writeUInt8(length, at + HEAD_BYTES - 1);
    this.#at += HEAD_BYTES + length;
    this.#list(id, (this.#pieces.length - 1) * PIECE_BYTES + at);
  }

  #room(): { piece: Buffer; at: number } {
    const last = this.#pieces.at(-1);
    if (last !== undefined && this.#at + HEAD_BYTES + MAX_NAME_BYTES <= PIECE_BYTES) {
      return { piece: last, at: this.#at };
    }
    const piece = Buffer.allocUnsafeSlow(PIECE_BYTES);
    this.#pieces.push(piece);
    this.#at = 1;
    return { piece, at: this.#at };
  }

  #parentNumber(path: string): number {
    if (this.#parents.at(-1) !== path) this.#parents.push(path);
    return this.#parents.length - 1;
  }

  #list(id: number, place: number): void {
    if (this.#count === this.#ids.length) {
      const ids = new Uint32Array(Math.ceil(GROWTH * this.#count));
      const places = new Float64Array(ids.length);
      ids.set(this.#ids);
      places.set(this.#places);
      [this.#ids, this.#places] = [ids, places];
    }
    this.#ids[this.#count] = id;
    this.#places[this.#count] = place;
    this.#count++;
    this.#left++;
  }

  /** Gives a directory away; undefined where it isn't here. */
  take(id: number): Entry | undefined {
    let [from, to] = [0, this.#count];
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#ids[middle] as number) < id) from = middle + 1;
      else to = middle;
    }
    return from < this.#count && this.#ids[from] === id ? this.#takeAt(from) : undefined;
  }

  #takeAt(index: number): Entry | undefined {
    const place = this.#places[index] as number;
    if (place === 0) return undefined;
    this.#places[index] = 0;
    this.#left--;
    const piece = this.#pieces[Math.floor(place / PIECE_BYTES)] as Buffer;
    const at = place % PIECE_BYTES;
    const parent = this.#parents[piece.readUInt32LE(at)] as string;
    const start = at + HEAD_BYTES;
    const name = piece.toString('utf8', start, start + piece.readUInt8(start - 1));
    return {
      id: this.#ids[index] as number,
      kind: 'directory',
      path: parent === '' ? [name] : [...parent.split('/'), name],
      size: 0,
      mode: piece.readUInt16LE(at + 4),
      mtimeSeconds: piece.readDoubleLE(at + 6),
      mtimeNanoseconds: piece.readUInt32LE(at + 14),
      sparse: false,
    };
  }

  /** Gives all away, so many at once, the last one first: children before parents. */
  *takeAll(together: number): Generator<Entry[]> {
    let entries: Entry[] = [];
    for (let index = this.#count - 1; index >= 0; index--) {
      const entry = this.#takeAt(index);
      if (entry !== undefined) entries.push(entry);
      if (entries.length < together) continue;
      yield entries;
      entries = [];
    }
    if (entries.length > 0) yield entries;
  }
}
