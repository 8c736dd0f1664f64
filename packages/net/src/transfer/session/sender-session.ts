import { setMaxListeners } from 'node:events';
import type { SourceEntry } from '../files/source-entry.ts';
import type { SourceTree } from '../files/source-tree.ts';
import { GROUP_FILES, isSmall, readWholeFiles, smallFilesFrom } from '../files/whole-files.ts';
import type { BlockHash } from '../protocol/block-hash.ts';
import { nameFault } from '../protocol/check-name.ts';
import { malformed } from '../protocol/field-reader.ts';
import {
  BLOCK_BYTES,
  MAX_OPEN_ENTRIES,
  WHOLE_WINDOW_BYTES,
  WINDOW_BYTES,
} from '../protocol/limits.ts';
import { MerkleRoot } from '../protocol/merkle-root.ts';
import { type Reason, REASONS } from '../protocol/reason.ts';
import type { TransferReceipt } from '../receipt.ts';
import { sealOf } from '../protocol/seal.ts';
import { TransferError } from '../transfer-error.ts';
import { BlockPool } from '../wire/block-pool.ts';
import type { MessageWire, ReceivedMessage } from '../wire/message-wire.ts';
import { Budget } from './budget.ts';
import { DirectoryLedger } from './directory-ledger.ts';
import { greet } from './greet.ts';
import { RateLimit } from './rate-limit.ts';
import { type SenderContext, SenderFile } from './sender-file.ts';
import type { TransferLog } from './transfer-log.ts';

export interface SenderSessionOptions {
  readonly hashes: readonly BlockHash[];
  readonly log: TransferLog;
  readonly encrypted: boolean;
  /** Files whose blocks go out at the same time. */
  readonly parallel: number;
  readonly bytesPerSecond: number;
}

// A small file is mostly waiting: for its opening, its block, its last look. A power of two, so that
// sums stay exact; arbitrary otherwise.
const SMALL_FILE_WEIGHT = 1 / 8;

// Directories that are announced without a wait. Arbitrary.
const DIRECTORIES_TOGETHER = 64;

type FromReceiver = Extract<
  ReceivedMessage,
  { type: 'accept' | 'refuse' | 'want' | 'progress' | 'ack' | 'bye' }
>;

/** A source, and what it holds where it is small and could be read. */
interface NextSource {
  readonly source: SourceEntry;
  readonly content?: Buffer | undefined;
}

interface Accepted {
  readonly file: SenderFile;
  readonly keptBlocks: number;
}

/**
 * The sender's half of a session.
 *
 * Theory of operation. Three things go on at once: entries are announced, as many as may be open,
 * while the tree is walked;
 * `parallel` workers stream the files that the receiver accepted; and what the receiver says is
 * read. A small file's content goes out with its announcement, as long as the receiver turns out not
 * to have such files. A file is open from its entry until the receiver acknowledges or refuses it, or this side
 * abandons it. When none is open and all were announced, DONE asks for the directories.
 */
export class SenderSession {
  readonly #wire: MessageWire;
  readonly #tree: SourceTree;
  readonly #options: SenderSessionOptions;
  readonly #open = new Map<number, SenderFile>();
  readonly #directories = new DirectoryLedger();
  readonly #accepted: Accepted[] = [];
  readonly #window = new Budget(WINDOW_BYTES);
  readonly #wholeWindow = new Budget(WHOLE_WINDOW_BYTES);
  readonly #rate: RateLimit;
  /** Aborted when the session is over: nothing waits on for its turn then. */
  readonly #ended = new AbortController();
  /** Whether small files go out with their announcement: not where the receiver has them already. */
  #sendsWhole = true;
  /** Whether every entry was announced. */
  #isAllAnnounced = false;
  #whenRoom: (() => void) | undefined;
  /** The last entry that was announced. */
  #lastId = -1;
  /** Bytes that were sent, or are about to be. */
  #admitted = 0;
  #confirmed = 0;
  #streaming = 0;
  #context: SenderContext | undefined;
  #failure: { error: unknown } | undefined;

  constructor(wire: MessageWire, tree: SourceTree, options: SenderSessionOptions) {
    this.#wire = wire;
    this.#tree = tree;
    this.#options = options;
    this.#rate = new RateLimit(options.bytesPerSecond);
    // Each file that goes out may wait for its turn.
    setMaxListeners(0, this.#ended.signal);
  }

  /** Runs the session to its end. @throws what ended it early; everything is closed then */
  async run(): Promise<TransferReceipt> {
    try {
      return await this.#run();
    } catch (error) {
      const reason = this.#failure?.error ?? error;
      await this.#wire.fail(reason);
      throw reason;
    } finally {
      this.#ended.abort();
      await Promise.all([...this.#open.values()].map((file) => file.finish()));
    }
  }

  async #run(): Promise<TransferReceipt> {
    const { hashes, log, encrypted, parallel } = this.#options;
    const hash = await greet(this.#wire, 'sender', hashes);
    // Two for each worker: one is read while the other goes out; and what the kernel has to take.
    const pool = new BlockPool(2 * parallel + WINDOW_BYTES / 2 ** 20);
    const admit = async (bytes: number): Promise<void> => {
      await this.#rate.take(bytes, this.#ended.signal);
      await this.#window.take(bytes);
      this.#admitted += bytes;
      log.transferred(bytes);
    };
    this.#context = { wire: this.#wire, hash, pool, admit };
    await this.#offer();
    this.#announceAll().catch((error: unknown) => this.#fail(error));
    while (this.#wire.stage !== 'ended') {
      const message = await this.#wire.next();
      if (this.#failure !== undefined) throw this.#failure.error;
      if (message === undefined) throw this.#left();
      // SessionOrder let nothing else through.
      this.#take(message as FromReceiver);
    }
    await this.#wire.close();
    return log.done('sender', this.#wire.peer, { hash: hash.name, encrypted });
  }

  #left(): TransferError {
    const { entries } = this.#tree;
    return new TransferError(
      'connection',
      `Cannot go on: ${this.#wire.peer} closed the connection before all of ${entries} entries were acknowledged`,
    );
  }

  async #offer(): Promise<void> {
    const { entries, bytes, names } = this.#tree;
    void this.#wire.send({ type: 'offer', entries, bytes, names });
    this.#options.log.offer({ peer: this.#wire.peer, entries, bytes, names });
    this.#wire.advance('answer');
    const answer = await this.#wire.next();
    if (answer === undefined) throw this.#left();
    if (answer.type !== 'answer') malformed(`${answer.type} instead of answer`);
    if (!answer.yes) {
      const words = answer.reason === '' ? '' : `: ${JSON.stringify(answer.reason)}`;
      throw new TransferError('declined', `Cannot send: ${this.#wire.peer} declined${words}`);
    }
    this.#options.log.accepted();
    this.#wire.advance('entries');
  }

  /** Announces entries as long as the receiver has to keep few of them in mind. */
  async #announceAll(): Promise<void> {
    const groups = this.#groups();
    let next = groups.next();
    for (;;) {
      const { value: group, done } = await next;
      if (done === true) break;
      // The next ones are read while these go out.
      next = groups.next();
      next.catch(() => undefined);
      await this.#room();
      for (const { source, content } of group) {
        if (content === undefined || !this.#sendsWhole) await this.#announceEntry(source);
        else await this.#sendWhole(source, content);
      }
    }
    this.#isAllAnnounced = true;
    this.#endEntries();
  }

  /** A group goes out as a whole. */
  async #room(): Promise<void> {
    while (this.#open.size > MAX_OPEN_ENTRIES - GROUP_FILES) {
      await new Promise<void>((resolve) => (this.#whenRoom = resolve));
    }
  }

  #endEntries(): void {
    if (!this.#isAllAnnounced || this.#open.size > 0 || this.#wire.stage !== 'entries') return;
    this.#wire.advance('ending');
    void this.#wire.send({ type: 'done' });
  }

  /** What goes out together: some small files of a directory with their content, or one source. */
  async *#groups(): AsyncGenerator<NextSource[]> {
    for await (const { sources, skipped } of this.#tree.walk()) {
      for (const { path, reason, text } of skipped) {
        this.#options.log.skipped(path.map(shown), reason, text);
      }
      for (let at = 0; at < sources.length; ) {
        const small = smallFilesFrom(sources, at);
        const group = small.length > 0 ? small : sources.slice(at, at + 1);
        const contents = small.length > 0 && this.#sendsWhole ? await readWholeFiles(small) : [];
        yield group.map((source, i) => ({ source, content: contents[i] }));
        at += group.length;
      }
    }
  }

  /** Of directories any number may be open; so that few wait to leave, each waits for those before. */
  async #announceEntry(source: SourceEntry): Promise<void> {
    const { id, kind } = source.entry;
    this.#lastId = id;
    if (kind === 'directory') this.#directories.add(source.entry);
    else this.#open.set(id, new SenderFile(this.#context as SenderContext, source));
    const sent = this.#wire.send({ type: 'entry', entry: source.entry });
    if (kind === 'directory' && this.#directories.size % DIRECTORIES_TOGETHER === 0) await sent;
  }

  async #sendWhole(source: SourceEntry, payload: Buffer): Promise<void> {
    const context = this.#context as SenderContext;
    const { hash } = context;
    await this.#wholeWindow.take(payload.length);
    await context.admit(payload.length);
    const tree = new MerkleRoot(hash, payload.length);
    if (payload.length > 0) tree.push(hash.digest(payload));
    const root = tree.digest();
    const file = new SenderFile(context, source);
    file.root = root;
    file.unansweredBytes = payload.length;
    this.#lastId = source.entry.id;
    this.#open.set(source.entry.id, file);
    const { entry } = source;
    void this.#wire.send({ type: 'whole', entry, root, seal: sealOf(hash, entry, root), payload });
  }

  /** The receiver said something of a file; it may be one whose content it has. */
  #answered(file: SenderFile): void {
    this.#wholeWindow.give(file.unansweredBytes);
    file.unansweredBytes = 0;
  }

  #take(message: FromReceiver): void {
    switch (message.type) {
      case 'accept':
        this.#accept(this.#file(message.id), message.keptBlocks);
        break;
      case 'refuse':
        this.#refused(message.id, message.reason, message.text);
        break;
      case 'want':
        this.#wanted(message.id, message.index);
        break;
      case 'progress':
        this.#progress(message.bytes);
        break;
      case 'ack':
        this.#acknowledged(message.id, message.how, message.root);
        break;
      case 'bye':
        if (this.#directories.size > 0) malformed('bye before all directories');
        this.#wire.advance('ended');
        break;
    }
  }

  #accept(file: SenderFile, keptBlocks: number): void {
    if (isSmall(file.source)) this.#sendsWhole = keptBlocks === 0;
    file.accept(keptBlocks);
    this.#answered(file);
    this.#accepted.push({ file, keptBlocks });
    this.#work();
  }

  #wanted(id: number, index: number): void {
    const file = this.#known(id);
    // It was abandoned here at the same time.
    if (file === undefined) return;
    file.want(index);
    this.#guard(file, () => file.repair());
  }

  /** The open file with this id; undefined for one that is over. */
  #known(id: number): SenderFile | undefined {
    if (id > this.#lastId) malformed(`no entry ${id} was announced`);
    return this.#open.get(id);
  }

  #file(id: number): SenderFile {
    return this.#open.get(id) ?? malformed(`no file ${id} is open`);
  }

  #progress(bytes: number): void {
    const more = bytes - this.#confirmed;
    if (more < 0) malformed(`progress went back from ${this.#confirmed} to ${bytes}`);
    if (bytes > this.#admitted) malformed(`progress of ${bytes} of ${this.#admitted} bytes`);
    this.#confirmed = bytes;
    this.#window.give(more);
    this.#options.log.progress(more);
  }

  #refused(id: number, reason: Reason, text: string): void {
    const directory = this.#directories.take(id);
    if (directory !== undefined) {
      this.#options.log.failed(directory, reason, text);
      return;
    }
    const file = this.#known(id);
    // It was abandoned here at the same time.
    if (file === undefined) return;
    this.#options.log.failed(file.source.entry, reason, text);
    if (reason === 'exists') this.#sendsWhole = false;
    this.#over(file);
  }

  #acknowledged(id: number, how: 'written' | 'identical', root: Buffer): void {
    const directory = this.#directories.take(id);
    if (directory !== undefined) {
      if (this.#wire.stage !== 'ending') malformed(`directory ${id} was acknowledged before done`);
      this.#options.log.acknowledged(directory, how);
      return;
    }
    const file = this.#file(id);
    if (file.root === undefined || !file.root.equals(root)) {
      malformed(`file ${id} was acknowledged with another root`);
    }
    this.#options.log.acknowledged(file.source.entry, how, { sender: file.root, receiver: root });
    this.#over(file);
  }

  #over(file: SenderFile): void {
    this.#answered(file);
    this.#open.delete(file.source.entry.id);
    void file.finish();
    this.#whenRoom?.();
    this.#endEntries();
  }

  /** Streams accepted files, as many at once as may be. */
  #work(): void {
    while (this.#streaming < this.#options.parallel && this.#accepted.length > 0) {
      const { file, keptBlocks } = this.#accepted.shift() as Accepted;
      const weight = file.source.entry.size > BLOCK_BYTES ? 1 : SMALL_FILE_WEIGHT;
      this.#streaming += weight;
      this.#guard(
        file,
        () => file.stream(keptBlocks),
        () => {
          this.#streaming -= weight;
          this.#work();
        },
      );
    }
  }

  /** Runs a part of a file's work; what fails about the file gives it up, all else ends the session. */
  #guard(
    file: SenderFile | undefined,
    work: (file: SenderFile) => Promise<void>,
    after?: () => void,
  ): void {
    if (file === undefined) return;
    work(file)
      .catch((error: unknown) => this.#failed(file, error))
      .finally(after);
  }

  #failed(file: SenderFile, error: unknown): void {
    if (file.isOver) return;
    if (!(error instanceof TransferError) || !(error.reason in REASONS)) {
      this.#fail(error);
      return;
    }
    const reason = error.reason as Reason;
    const { entry } = file.source;
    void this.#wire.send({ type: 'abandon', id: entry.id, reason, text: error.message });
    this.#options.log.failed(entry, reason, error.message);
    this.#over(file);
  }

  /** Ends the session for a reason of this side's own. */
  #fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wire.abort(error instanceof Error ? error : new Error(String(error)));
  }
}

/** A name that can't be sent, safe to show. */
function shown(name: string): string {
  return nameFault(name) === undefined ? name : JSON.stringify(name);
}
