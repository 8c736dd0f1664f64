import { realpath } from 'node:fs/promises';
import { basename, dirname, resolve } from 'node:path';
import { nameFault } from '../protocol/check-name.ts';
import { MAX_DEPTH, MAX_OFFERED_NAMES } from '../protocol/limits.ts';
import { TransferError } from '../transfer-error.ts';
import { FILE } from './file-constants.ts';
import { type ListedName, parseListing, type SourceStat } from './directory-listing.ts';
import { FileError } from './file-error.ts';
import { KeptListings } from './kept-listings.ts';
import type { OpenFile } from './open-file.ts';
import { PlanWriter } from './plan-writer.ts';
import { listSome, RootDirectory } from './root-directory.ts';
import {
  kindOf,
  strangerText,
  type SkippedEntry,
  sizeOf,
  type SourceEntry,
  sourceEntry,
  type SourcePlace,
} from './source-entry.ts';

// Sources that were named one by one and go on together. Arbitrary.
const BATCH_TOPS = 64;
// Directories that are listed in one go. Arbitrary.
const LISTED_TOGETHER = 64;

/** Some of what is to be sent, and what is left out. */
export interface SourceBatch {
  readonly sources: SourceEntry[];
  readonly skipped: SkippedEntry[];
}

/** A source that the caller named. */
interface Top {
  readonly place: SourcePlace;
  readonly stat: SourceStat;
  /** It and what is below it, as counted. */
  entries: number;
}

/** Names of one directory, some of them; or why it has none. */
interface Listed {
  readonly place: SourcePlace;
  readonly names: readonly NamedSource[];
  readonly error?: Error;
}

/**
 * All that is to be sent, parents before children.
 *
 * Theory of operation. An offer says how many entries will come, so the tree is looked at twice:
 * `open` counts, `walk` goes through it, and neither keeps more than the listing at hand of each
 * directory above it. Listings of 2 MiB are kept from the first look for the second, which then
 * finds what the first found. Beyond that the second is what counts: what is new since then and
 * exceeds the offer is left out, what is gone is told of as a number.
 */
export class SourceTree {
  entries = 0;
  bytes = 0;
  readonly #tops: Top[] = [];
  /** Of those that the caller named: one would take the other's place. */
  readonly #names = new Set<string>();
  readonly #roots = new Map<string, RootDirectory>();
  readonly #kept: KeptListings;
  readonly #reading = new Set<OpenFile>();
  #isClosed = false;
  #nextId = 0;
  #walkedBytes = 0;

  private constructor(kept: KeptListings) {
    this.#kept = kept;
  }

  /** @throws FileError where a path that was asked for isn't there; TransferError for its name */
  static async open(paths: readonly string[], kept = new KeptListings()): Promise<SourceTree> {
    const tree = new SourceTree(kept);
    try {
      for (const path of paths) await tree.#add(path);
    } catch (error) {
      await tree.close();
      throw error;
    }
    return tree;
  }

  /** The first of the names that the caller gave, as the offer shows them. */
  get names(): string[] {
    return this.#tops.slice(0, MAX_OFFERED_NAMES).map(({ place }) => place.path[0] as string);
  }

  /** Ends a walk, too. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const open = [...this.#roots.values(), ...this.#reading];
    await Promise.all(open.map((directory) => directory.close()));
  }

  /** A link that the caller names is followed; its own name is the one that is sent. */
  async #add(path: string): Promise<void> {
    const name = basename(resolve(path));
    const fault = nameFault(name);
    if (fault !== undefined) {
      throw new TransferError('name', `Cannot send ${JSON.stringify(path)}: its name: ${fault}`);
    }
    if (this.#names.has(name)) {
      throw new TransferError(
        'name',
        `Cannot send ${JSON.stringify(path)}: another one that is sent is called ${JSON.stringify(name)} too`,
      );
    }
    this.#names.add(name);
    const real = await realpath(path);
    const root = await this.#rootAt(dirname(real));
    const below = [basename(real)];
    const file = await root.openFile(below, FILE.O_PATH | FILE.O_NOFOLLOW);
    const stat = await closing(file, file.stat());
    const top = { place: { root, below, path: [name] }, stat, entries: 0 };
    this.#tops.push(top);
    await this.#count(top);
  }

  async #rootAt(path: string): Promise<RootDirectory> {
    const root = this.#roots.get(path) ?? (await RootDirectory.open(path));
    this.#roots.set(path, root);
    return root;
  }

  async #count(top: Top): Promise<void> {
    const before = this.entries;
    this.#countOne(top.stat);
    if (kindOf(top.stat) === 'directory') {
      for await (const { names } of this.#below(top.place)) {
        for (const { stat, fault } of names) if (fault === undefined) this.#countOne(stat);
      }
    }
    top.entries = this.entries - before;
  }

  #countOne(stat: SourceStat | FileError): void {
    const kind = stat instanceof FileError ? undefined : kindOf(stat);
    if (kind === undefined) return;
    this.entries++;
    this.bytes += sizeOf(kind, stat as SourceStat);
  }

  /** Goes through the tree once, in pieces. */
  async *walk(): AsyncGenerator<SourceBatch> {
    let batch = emptyBatch();
    for (const top of this.#tops) {
      const first = this.#nextId;
      this.#take(batch, top.place, top.stat);
      if (kindOf(top.stat) === 'directory') {
        yield batch;
        batch = emptyBatch();
        for await (const listed of this.#below(top.place)) yield this.#batchOf(listed);
      }
      const gone = top.entries - (this.#nextId - first);
      if (gone > 0 && this.#nextId < this.entries) batch.skipped.push(vanished(top, gone));
      if (batch.sources.length >= BATCH_TOPS) {
        yield batch;
        batch = emptyBatch();
      }
    }
    yield batch;
  }

  #batchOf({ place, names, error }: Listed): SourceBatch {
    const batch = emptyBatch();
    if (error !== undefined) batch.skipped.push(skipped(place.path, error.message));
    for (const { name = '\ufffd', stat, fault } of names) {
      const path = [...place.path, name];
      if (fault !== undefined) batch.skipped.push(skipped(path, fault));
      else if (stat instanceof FileError) batch.skipped.push(skipped(path, stat.message));
      else this.#take(batch, { ...place, below: [...place.below, name], path }, stat);
    }
    return batch;
  }

  #take({ sources, skipped: out }: SourceBatch, place: SourcePlace, stat: SourceStat): void {
    const kind = kindOf(stat);
    if (kind === undefined) {
      out.push(skipped(place.path, strangerText(stat)));
      return;
    }
    const bytes = this.#walkedBytes + sizeOf(kind, stat);
    if (this.#nextId === this.entries || bytes > this.bytes) {
      const text = 'more is there than was offered; the same again sends it';
      out.push({ path: place.path, reason: 'source-changed', text });
      return;
    }
    this.#walkedBytes = bytes;
    sources.push(sourceEntry(this.#nextId++, kind, place, stat));
  }

  /**
   * What is below a directory: some names of it, then what is below those, and so on.
   *
   * @param records all that is in it, where that was read already
   */
  async *#below(place: SourcePlace, records?: Uint8Array): AsyncGenerator<Listed> {
    try {
      for await (const names of this.#listings(place, records)) {
        yield { place, names };
        for await (const directory of this.#directoriesOf(place, names)) {
          yield* this.#below(directory.place, directory.records);
        }
      }
    } catch (error) {
      if (this.#isClosed) throw error;
      yield { place, names: [], error: error as Error };
    }
  }

  /** Those among some names of a directory, with what is in them where that is little. */
  async *#directoriesOf(place: SourcePlace, names: readonly NamedSource[]) {
    const { root } = place;
    const found = names.filter(isDirectory).map(({ name = '' }) => ({
      root,
      below: [...place.below, name],
      path: [...place.path, name],
    }));
    for (let at = 0; at < found.length; at += LISTED_TOGETHER) {
      const some = found.slice(at, at + LISTED_TOGETHER);
      // That which is kept is there already.
      const unknown = some.filter((directory) => !this.#kept.has(keyOf(directory)));
      const listings = await this.#readAll(root, unknown);
      for (const directory of some) {
        yield { place: directory, records: listings.get(directory) };
        listings.delete(directory);
      }
    }
  }

  async #readAll(root: RootDirectory, places: readonly SourcePlace[]) {
    const listings = new Map<SourcePlace, Uint8Array | undefined>();
    // One by itself is read when its turn comes.
    if (places.length < 2) return listings;
    for (const { below } of places) plan.name(below.join('/'));
    const read = await root.listDirectories(plan.plan());
    places.forEach((place, i) => listings.set(place, read[i]));
    return listings;
  }

  async *#listings(
    place: SourcePlace,
    records: Uint8Array | undefined,
  ): AsyncGenerator<readonly NamedSource[]> {
    const depth = place.path.length;
    const key = keyOf(place);
    if (records !== undefined) {
      this.#kept.put(key, [records]);
      if (records.length > 0) yield named(records, depth);
      return;
    }
    const known = this.#kept.take(key);
    if (known !== undefined) {
      for (const some of known) yield named(some, depth);
      return;
    }
    let kept: Uint8Array[] | undefined = [];
    for await (const some of this.#read(place)) {
      if (this.#kept.hasRoomFor(some.length)) kept?.push(some);
      else kept = undefined;
      yield named(some, depth);
    }
    if (kept !== undefined) this.#kept.put(key, kept);
  }

  async *#read({ root, below }: SourcePlace): AsyncGenerator<Uint8Array> {
    const directory = await root.openDirectory(below);
    this.#reading.add(directory);
    try {
      for (;;) {
        const records = await listSome(directory);
        if (records.length === 0) return;
        yield records;
      }
    } finally {
      this.#reading.delete(directory);
      await directory.close();
    }
  }
}

// A plan is copied when its call begins.
const plan = new PlanWriter();

function keyOf({ root, below }: SourcePlace): string {
  return `${root.path}\0${below.join('/')}`;
}

function isDirectory({ stat, fault }: NamedSource): boolean {
  return fault === undefined && !(stat instanceof FileError) && kindOf(stat) === 'directory';
}

/** A name, and what is wrong with it where it is to be sent, in words. */
type NamedSource = ListedName & { readonly fault?: string };

function named(records: Uint8Array, depth: number): readonly NamedSource[] {
  return parseListing(records).map((listed) => {
    const { name } = listed;
    const tooDeep = depth >= MAX_DEPTH ? `it is deeper than ${MAX_DEPTH}` : undefined;
    const fault = name === undefined ? 'it is not UTF-8' : (nameFault(name) ?? tooDeep);
    return fault === undefined ? listed : { ...listed, fault: `its name: ${fault}` };
  });
}

function emptyBatch(): SourceBatch {
  return { sources: [], skipped: [] };
}

function skipped(path: readonly string[], text: string): SkippedEntry {
  return { path, reason: 'unsupported', text };
}

function vanished({ place }: Top, count: number): SkippedEntry {
  const text = `${count} of the files and directories in it are gone since they were offered`;
  return { path: place.path, reason: 'source-changed', text };
}

/** Waits for a result, then closes what it came from. */
async function closing<Result>(file: OpenFile, result: Promise<Result>): Promise<Result> {
  try {
    return await result;
  } finally {
    await file.close();
  }
}
