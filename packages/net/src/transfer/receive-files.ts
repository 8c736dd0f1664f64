import { setTimeout } from 'node:timers/promises';
import type { Address } from '../address/index.ts';
import { invalidType } from '../errors/index.ts';
import { checkReceive } from './check-transfer-options.ts';
import { connectionTo, type Dialling, listenerFor, type TransferEndpoint } from './endpoint.ts';
import { DirectorySink, type DirectorySinkOptions } from './files/directory-sink.ts';
import { RootDirectory } from './files/root-directory.ts';
import { PeerListener } from './peer-listener.ts';
import { type BlockHash, usableHashes } from './protocol/block-hash.ts';
import { type Protection, type ProtectionOptions, protectionOf } from './protection.ts';
import { rejectedEvent } from './rejection-log.ts';
import type { ReceiptEntry, TransferReceipt } from './receipt.ts';
import { type Decide, ReceiverSession } from './session/receiver-session.ts';
import { TransferLog } from './session/transfer-log.ts';
import type { TransferSink } from './sink.ts';
import type { TransferEvent } from './transfer-event.ts';
import { TransferError } from './transfer-error.ts';
import { BlockPool } from './wire/block-pool.ts';
import { MessageWire, type WireTimeouts } from './wire/message-wire.ts';
import type { Wire } from './wire/wire.ts';

export interface ReceiveOptions extends ProtectionOptions, WireTimeouts, DirectorySinkOptions {
  /** `listen` (the default) for senders, or `connect` to one. */
  readonly dialling?: Dialling | undefined;
  /** Asked for each offer. Default yes to all. */
  readonly decide?: Decide | undefined;
  /** Ends after the first transfer that ran to its end. Default false. */
  readonly once?: boolean | undefined;
  /** Transfers at once; of content 4 MiB are in memory, of 16 transfers 27. Default 16. */
  readonly maxConnections?: number | undefined;
  /** Hash functions beside node:crypto's. */
  readonly hashes?: readonly BlockHash[] | undefined;
  /** Aborting it ends everything; what came is kept for the next time. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: ReceiveEvent) => void) | undefined;
  /**
   * Takes the receipts' entries one by one, which the receipts then don't hold: for trees of which
   * nothing but the numbers fits into memory. Transfers of several peers mix.
   */
  readonly onEntry?: ((entry: ReceiptEntry, peer: string) => void) | undefined;
}

/** What a receiver tells: of each transfer, and of one that didn't run to its end. */
export type ReceiveEvent =
  | TransferEvent
  | { readonly type: 'ended'; readonly peer: string; readonly error: Error };

// 4 MiB: what waits for a slow disk beyond them waits in the kernel. As much as the sender's window, 7 MiB,
// was no faster, and together with what V8 takes it could reach 100 MB.
const POOL_BLOCKS = 8;
// One is filled while the other is written.
const LEAST_BLOCKS = 2;
// setTimeout takes no more.
const MAX_TIMER_MS = 0x7fffffff;

/** A receiver that runs until it is closed, `once` came true, or its one connection has ended. */
export class FileReceiver implements AsyncDisposable {
  /** Where it listens; null where it made the connection. */
  readonly address: Address | null;
  readonly #sink: TransferSink;
  readonly #protection: Protection;
  readonly #options: ReceiveOptions;
  readonly #hashes: readonly BlockHash[];
  readonly #release: () => Promise<void>;
  readonly #sessions = new Map<MessageWire, Promise<void>>();
  #listener: PeerListener | undefined;
  #closing: Promise<void> | undefined;
  #receipt: TransferReceipt | undefined;
  #error: { error: unknown } | undefined;
  #finish: () => void = () => undefined;
  readonly #finished = new Promise<void>((resolve) => (this.#finish = resolve));

  /** @internal */
  constructor(
    target: Target,
    protection: Protection,
    options: ReceiveOptions,
    address: Address | null,
  ) {
    this.#sink = target.sink;
    this.#release = () => target.release();
    this.#protection = protection;
    this.#options = options;
    this.#hashes = usableHashes(options.hashes);
    this.address = address;
  }

  /** @internal */
  listen(listener: ConstructorParameters<typeof PeerListener>[0]['listener']): void {
    this.#listener = new PeerListener({
      listener,
      protection: this.#protection,
      onPeer: (wire) => this.#admit(wire),
      onRejected: (peer, text, more) => this.#emit(rejectedEvent(peer, text, more)),
    });
  }

  #admit(wire: Wire): void {
    if (this.#closing !== undefined) {
      wire.abort(new Error('the receiver was closed'));
      return;
    }
    if (this.#sessions.size < (this.#options.maxConnections ?? 16)) {
      this.serve(wire);
      return;
    }
    wire.abort(new Error('too many transfers'));
    this.#listener?.reject(wire.peer, 'too many transfers at once');
  }

  /** @internal */
  serve(wire: Wire): void {
    // Who comes when others are at work already needs less: the disk is busy.
    const pool = new BlockPool(Math.max(LEAST_BLOCKS, POOL_BLOCKS - this.#sessions.size));
    const messages = new MessageWire(wire, 'receiver', pool, this.#options);
    const session = new ReceiverSession(messages, pool, this.#sink, {
      hashes: this.#hashes,
      log: new TransferLog((event) => this.#emit(event), this.#entriesOf(wire.peer)),
      encrypted: this.#protection.encrypted,
      decide: this.#options.decide ?? (() => Promise.resolve(true)),
    });
    const running = session.run().then(
      (receipt) => this.#ended(messages, receipt),
      (error: Error) => this.#failed(messages, error),
    );
    this.#sessions.set(messages, running);
  }

  #entriesOf(peer: string): ((entry: ReceiptEntry) => void) | undefined {
    const { onEntry } = this.#options;
    return onEntry && ((entry) => this.#tell(() => onEntry(entry, peer)));
  }

  #emit(event: ReceiveEvent): void {
    this.#tell(() => this.#options.onEvent?.(event));
  }

  /** What a handler throws ends the receiver: of no file it would be the fault. */
  #tell(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.abort(error);
    }
  }

  #ended(messages: MessageWire, receipt: TransferReceipt): void {
    this.#sessions.delete(messages);
    this.#receipt = receipt;
    if (this.#listener === undefined || this.#options.once === true) void this.close();
  }

  #failed(messages: MessageWire, error: Error): void {
    this.#sessions.delete(messages);
    this.#emit({ type: 'ended', peer: messages.peer, error });
    if (this.#listener !== undefined) return;
    this.#error ??= { error };
    void this.close();
  }

  /**
   * Resolves when the receiver has ended, with the last receipt there was.
   *
   * @throws what ended the one connection; the signal's reason; what `onEvent` or `onEntry` threw
   */
  async finished(): Promise<TransferReceipt | undefined> {
    await this.#finished;
    if (this.#error !== undefined) throw this.#error.error;
    return this.#receipt;
  }

  /** @internal */
  abort(reason: unknown): void {
    this.#error ??= { error: reason };
    void this.close();
  }

  /**
   * Takes no new senders, lets the transfers that run come to their end, then closes.
   *
   * @param options.timeoutMs how long they get; then they are cut. Default 5,000
   */
  async drain({ timeoutMs = 5_000 }: { readonly timeoutMs?: number } = {}): Promise<void> {
    await this.#listener?.close();
    const timer = new AbortController();
    const patience = setTimeout(Math.min(timeoutMs, MAX_TIMER_MS), undefined, timer).catch(() => 0);
    await Promise.race([Promise.all(this.#sessions.values()), patience]);
    timer.abort();
    await this.close();
  }

  /** Takes no new senders, cuts the transfers that run: what came of them is kept. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    await this.#listener?.close();
    const cut = new TransferError('cancelled', 'Cannot go on: the receiver was closed');
    const running = [...this.#sessions];
    await Promise.all(running.map(([messages]) => messages.fail(cut)));
    await Promise.all(running.map(([, session]) => session));
    await this.#release();
    this.#finish();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

interface Target {
  readonly sink: TransferSink;
  release(): Promise<void>;
}

async function targetFor(
  target: string | TransferSink,
  options: DirectorySinkOptions,
): Promise<Target> {
  if (typeof target !== 'string') {
    if (typeof target?.open !== 'function') throw invalidType('target', 'a path or a sink', target);
    return { sink: target, release: () => Promise.resolve() };
  }
  const root = await RootDirectory.open(target);
  return { sink: new DirectorySink(root, options), release: () => root.close() };
}

/**
 * Receives files into a directory, or into a sink of one's own.
 *
 * A file appears under its name once every block of it is verified and on the disk, never before
 * and never in part; until then it grows under a temporary name, where the next transfer of the
 * same source goes on. Nothing that exists is touched unless `existing` says so. Names from a peer
 * can't leave the directory, whatever they look like and whatever is done to the directory
 * meanwhile (docs/transfer-protocol.md).
 *
 * @param from an address to listen on or to connect to, or a listening or connected socket
 * @returns a receiver that listens, or whose connection is there
 * @throws TransferError `unsupported` without openat2(2), `secret`; FileError; SocketError;
 *   TypeError, RangeError for the options
 *
 * @example
 * const { mkdtemp, readFile, writeFile } = await import('node:fs/promises');
 * const [outbox, inbox] = [await mkdtemp('/tmp/outbox-'), await mkdtemp('/tmp/inbox-')];
 * await writeFile(`${outbox}/report`, 'all is well');
 * const options = { secret: generateSecret(), once: true };
 * const receiver = await receiveFiles(inbox, { host: '127.0.0.1', port: 0 }, options);
 * await sendFiles([`${outbox}/report`], receiver.address, options);
 * assert.equal((await receiver.finished()).complete, true);
 * assert.equal(await readFile(`${inbox}/report`, 'utf8'), 'all is well');
 */
export async function receiveFiles(
  target: string | TransferSink,
  from: TransferEndpoint,
  options: ReceiveOptions = {},
): Promise<FileReceiver> {
  checkReceive(options);
  const protection = protectionOf(options);
  const { signal, dialling = 'listen' } = options;
  signal?.throwIfAborted();
  const place = await targetFor(target, options);
  try {
    const listener = listenerFor(from, dialling);
    const address = listener?.getsockname() ?? null;
    const receiver = new FileReceiver(place, protection, options, address);
    if (listener !== undefined) receiver.listen(listener);
    else receiver.serve(await protection.client(await connectionTo(from, signal), signal));
    if (signal?.aborted === true) {
      await receiver.close();
      throw signal.reason;
    }
    const onAbort = (): void => receiver.abort(signal?.reason);
    signal?.addEventListener('abort', onAbort, { once: true });
    void receiver
      .finished()
      .catch(() => undefined)
      .finally(() => {
        signal?.removeEventListener('abort', onAbort);
      });
    return receiver;
  } catch (error) {
    await place.release();
    throw error;
  }
}
