import { descriptorLimit } from '../../socket/descriptor-limit.ts';
import type { BlockHash } from '../protocol/block-hash.ts';
import { malformed } from '../protocol/field-reader.ts';
import { MAX_OPEN_ENTRIES, WHOLE_WINDOW_BYTES } from '../protocol/limits.ts';
import type { Entry, Whole } from '../protocol/message.ts';
import { type Reason, REASONS } from '../protocol/reason.ts';
import type { TransferReceipt } from '../receipt.ts';
import type { OfferSummary, TransferSink } from '../sink.ts';
import { TransferError } from '../transfer-error.ts';
import type { BlockPool } from '../wire/block-pool.ts';
import type { MessageWire, ReceivedBlock, ReceivedMessage } from '../wire/message-wire.ts';
import { Budget } from './budget.ts';
import { DirectoryLedger } from './directory-ledger.ts';
import { greet } from './greet.ts';
import { type Finished, type ReceiverContext, ReceiverFile } from './receiver-file.ts';
import type { TransferLog } from './transfer-log.ts';

// Far below the window, so that the sender never runs dry: of 7 MiB, 5 are one round trip at 20 ms.
const PROGRESS_BYTES = 512 * 1024;

// What the process has open besides, and descriptors that a file may take: its own, that of what it
// is appended to, one for a moment. Arbitrary.
const OTHER_DESCRIPTORS = 64;
const DESCRIPTORS_OF_A_FILE = 3;

// Directories that are being made, or finished, at once. Arbitrary.
const MAX_MAKING = 256;

/** Says yes or no to an offer; a text is a no with its reason. */
export type Decide = (offer: OfferSummary & { readonly peer: string }) => Promise<boolean | string>;

type FromSender = Extract<
  ReceivedMessage,
  { type: 'entry' | 'whole' | 'digest' | 'block' | 'repair' | 'hole' | 'end' | 'abandon' | 'done' }
>;

export interface ReceiverSessionOptions {
  readonly hashes: readonly BlockHash[];
  readonly log: TransferLog;
  readonly encrypted: boolean;
  readonly decide: Decide;
}

/** The receiver's half of a session: one message after the other, the work on files beside it. */
export class ReceiverSession {
  readonly #wire: MessageWire;
  readonly #sink: TransferSink;
  readonly #pool: BlockPool;
  readonly #options: ReceiverSessionOptions;
  readonly #files = new Map<number, ReceiverFile>();
  readonly #openings = new Budget(openFileLimit());
  /** The END of a file whose commit is under way comes from here. */
  readonly #roots = new Map<number, Buffer>();
  /** Those that were made, or are being made. */
  readonly #directories = new DirectoryLedger();
  /** The making of directories that are not there yet, or could not be made, by their path. */
  readonly #making = new Map<string, Promise<void>>();
  #context: ReceiverContext | undefined;
  #offer: OfferSummary = { entries: 0, bytes: 0, names: [] };
  #nextId = 0;
  #bytes = 0;
  #confirmed = 0;
  #reported = 0;
  /** Bytes of whole files that are kept here until they are answered. */
  #wholeBytes = 0;
  #whenIdle: (() => void) | undefined;
  /** The sender has given up this one, which counts no more once the work on it is done. */
  #leaving: { readonly id: number; readonly whenOver: () => void } | undefined;

  constructor(
    wire: MessageWire,
    pool: BlockPool,
    sink: TransferSink,
    options: ReceiverSessionOptions,
  ) {
    this.#wire = wire;
    this.#pool = pool;
    this.#sink = sink;
    this.#options = options;
  }

  /** Runs the session to its end. @throws what ended it early; every file is closed then */
  async run(): Promise<TransferReceipt> {
    try {
      return await this.#run();
    } catch (error) {
      await this.#wire.fail(error);
      const cut = new TransferError('connection', 'the transfer was cut', { cause: error });
      for (const file of this.#files.values()) file.fail(cut);
      await this.#allOver();
      throw error;
    } finally {
      await this.#sink.end?.();
    }
  }

  async #run(): Promise<TransferReceipt> {
    const { hashes, log, encrypted } = this.#options;
    const hash = await greet(this.#wire, 'receiver', hashes);
    this.#context = {
      wire: this.#wire,
      hash,
      pool: this.#pool,
      sink: this.#sink,
      confirm: (bytes) => this.#confirm(bytes),
      progress: (bytes) => log.progress(bytes),
      releaseWhole: (bytes) => (this.#wholeBytes -= bytes),
    };
    await this.#takeOffer();
    while (this.#wire.stage !== 'ending') {
      await this.#wire.drained();
      const message = await this.#wire.next();
      if (message === undefined) throw this.#left();
      // SessionOrder let nothing else through.
      await this.#take(message as FromSender);
    }
    await this.#finishDirectories();
    const said = this.#wire.send({ type: 'bye' });
    said.catch(() => undefined);
    await this.#wire.close();
    await said;
    return log.done('receiver', this.#wire.peer, { hash: hash.name, encrypted });
  }

  #left(): TransferError {
    return new TransferError(
      'connection',
      `Cannot go on: ${this.#wire.peer} closed the connection after ${this.#nextId} of ${this.#offer.entries} entries, ${this.#files.size} of them unfinished`,
    );
  }

  async #takeOffer(): Promise<void> {
    this.#wire.advance('offer');
    const message = await this.#wire.next();
    if (message === undefined) throw this.#left();
    if (message.type !== 'offer') malformed(`${message.type} instead of offer`);
    const { entries, bytes, names } = message;
    this.#offer = { entries, bytes, names };
    this.#wire.advance('answer');
    const { peer } = this.#wire;
    const said = await this.#wire.orFailure(this.#options.decide({ ...this.#offer, peer }));
    if (said !== true) {
      const reason = said === false ? '' : said;
      await this.#wire.send({ type: 'answer', yes: false, reason });
      await this.#wire.close();
      throw new TransferError('declined', `Cannot receive: the offer was declined`);
    }
    await this.#sink.begin?.(this.#offer);
    this.#options.log.offer({ peer: this.#wire.peer, ...this.#offer });
    void this.#wire.send({ type: 'answer', yes: true, reason: '' });
    this.#wire.advance('entries');
  }

  async #take(message: FromSender): Promise<void> {
    switch (message.type) {
      case 'entry':
        this.#takeEntry(message.entry);
        // Who announces directories faster than they can be made has to wait.
        if (this.#making.size > MAX_MAKING) await Promise.allSettled(this.#making.values());
        break;
      case 'whole':
        this.#roots.set(message.entry.id, message.root);
        this.#takeEntry(message.entry, message);
        break;
      case 'digest': {
        const file = this.#known(message.id);
        if (file === undefined) break;
        file.onDigest(message.index, message.hash, await this.#pool.acquire());
        break;
      }
      case 'block':
      case 'repair':
        this.#takeBlock(message);
        break;
      case 'hole':
        this.#known(message.id)?.onHole(message.index, message.count);
        break;
      case 'end': {
        const file = this.#known(message.id);
        if (file === undefined) break;
        this.#roots.set(message.id, message.root);
        file.onEnd(message);
        break;
      }
      case 'abandon':
        await this.#abandoned(message.id, new TransferError(message.reason, message.text));
        break;
      case 'done':
        await this.#allOver();
        this.#wire.advance('ending');
        break;
    }
  }

  /** The open file with this id; undefined for one that is over, whose messages may still come. */
  #known(id: number): ReceiverFile | undefined {
    const file = this.#files.get(id);
    if (file === undefined && id >= this.#nextId) malformed(`no entry ${id}`);
    return file;
  }

  #takeBlock(block: ReceivedBlock): void {
    const file = this.#known(block.id);
    if (file === undefined) {
      this.#pool.release(block.buffer);
      this.#confirm(block.payload.length);
      return;
    }
    file.onBlock(block);
  }

  #takeEntry(entry: Entry, whole?: Whole): void {
    if (entry.id !== this.#nextId) malformed(`entry ${entry.id} where ${this.#nextId} was due`);
    this.#nextId++;
    this.#bytes += entry.size;
    const { entries, bytes } = this.#offer;
    if (this.#nextId > entries) malformed(`more entries than the ${entries} offered`);
    if (this.#bytes > bytes) malformed(`more bytes than the ${bytes} offered`);
    if (this.#files.size >= MAX_OPEN_ENTRIES) malformed(`more than ${MAX_OPEN_ENTRIES} open files`);
    this.#wholeBytes += whole?.payload.length ?? 0;
    if (this.#wholeBytes > WHOLE_WINDOW_BYTES)
      malformed(`more than ${WHOLE_WINDOW_BYTES} bytes of whole files before an answer`);
    if (entry.kind === 'directory') this.#makeDirectory(entry);
    else this.#openFile(entry, whole);
  }

  #makeDirectory(entry: Entry): void {
    const key = entry.path.join('/');
    this.#directories.add(entry);
    const made = this.#parentOf(entry).then(() => this.#sink.makeDirectory?.(entry));
    this.#making.set(key, made);
    made.then(
      () => this.#settled(key, made),
      (error: unknown) => {
        this.#directories.take(entry.id);
        this.#refuse(entry, error);
        // What lies in it is refused with its error; of very many, for not being there.
        if (this.#making.size > MAX_MAKING) this.#settled(key, made);
      },
    );
  }

  #settled(key: string, made: Promise<void>): void {
    if (this.#making.get(key) === made) this.#making.delete(key);
  }

  /** The directory above, once it is there. One that was never announced has to be there already. */
  #parentOf(entry: Entry): Promise<void> {
    return this.#making.get(entry.path.slice(0, -1).join('/')) ?? Promise.resolve();
  }

  #openFile(entry: Entry, whole: Whole | undefined): void {
    const context = this.#context as ReceiverContext;
    const turn = this.#openings.take(1);
    const file = new ReceiverFile(context, entry, (outcome) => {
      this.#openings.giveBack(1, turn);
      this.#over(entry, outcome);
    });
    this.#files.set(entry.id, file);
    const parent = this.#parentOf(entry);
    if (whole === undefined) file.open(parent, turn);
    else file.openWhole(parent, whole, turn);
  }

  #over(entry: Entry, outcome: Finished | { error: unknown }): void {
    this.#files.delete(entry.id);
    const sender = this.#roots.get(entry.id);
    this.#roots.delete(entry.id);
    if ('error' in outcome) this.#refuse(entry, outcome.error);
    else {
      const { how, root } = outcome;
      void this.#wire.send({ type: 'ack', id: entry.id, how, root });
      this.#options.log.acknowledged(entry, how, { sender: sender ?? root, receiver: root });
    }
    if (this.#leaving?.id === entry.id) this.#leaving.whenOver();
    if (this.#files.size === 0) this.#whenIdle?.();
  }

  #refuse(entry: Entry, error: unknown): void {
    const known = error instanceof TransferError && error.reason in REASONS;
    const reason = known ? (error.reason as Reason) : 'target-failed';
    const text = error instanceof Error ? error.message : String(error);
    const isCut = error instanceof TransferError && error.reason === 'connection';
    if (!isCut) void this.#wire.send({ type: 'refuse', id: entry.id, reason, text });
    this.#options.log.failed(entry, isCut ? 'cancelled' : reason, text);
  }

  /** Who gives up files and announces others faster than they can be closed has to wait. */
  async #abandoned(id: number, error: TransferError): Promise<void> {
    const file = this.#known(id);
    if (file === undefined) return;
    await new Promise<void>((whenOver) => {
      this.#leaving = { id, whenOver };
      file.fail(error);
    });
  }

  #confirm(bytes: number): void {
    this.#options.log.transferred(bytes);
    this.#confirmed += bytes;
    if (this.#confirmed - this.#reported < PROGRESS_BYTES) return;
    this.#reported = this.#confirmed;
    void this.#wire.send({ type: 'progress', bytes: this.#confirmed });
  }

  async #allOver(): Promise<void> {
    if (this.#files.size > 0) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
    await Promise.allSettled(this.#making.values());
  }

  /** Children before parents: a directory's time changes with each name in it. */
  async #finishDirectories(): Promise<void> {
    for (const entries of this.#directories.takeAll(MAX_MAKING)) {
      await this.#wire.drained();
      const errors = await this.#finish(entries);
      entries.forEach((entry, i) => this.#finished(entry, errors[i]));
    }
  }

  async #finish(entries: readonly Entry[]): Promise<readonly (Error | undefined)[]> {
    const sink = this.#sink;
    if (sink.finishDirectories !== undefined) {
      return sink.finishDirectories(entries).catch((error: Error) => entries.map(() => error));
    }
    const errors: (Error | undefined)[] = [];
    for (const entry of entries) {
      try {
        await sink.finishDirectory?.(entry);
        errors.push(undefined);
      } catch (error) {
        errors.push(error as Error);
      }
    }
    return errors;
  }

  #finished(entry: Entry, error: Error | undefined): void {
    if (error !== undefined) {
      this.#refuse(entry, error);
      return;
    }
    void this.#wire.send({ type: 'ack', id: entry.id, how: 'written', root: NO_ROOT });
    this.#options.log.acknowledged(entry, 'written');
  }
}

const NO_ROOT = Buffer.alloc(32);

/** Files that a session may have open at once: what it announces besides has to wait. */
function openFileLimit(): number {
  const descriptors = descriptorLimit() - OTHER_DESCRIPTORS;
  return Math.max(1, Math.min(MAX_OPEN_ENTRIES, Math.floor(descriptors / DESCRIPTORS_OF_A_FILE)));
}
