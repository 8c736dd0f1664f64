import type { Address } from '../address/index.ts';
import { outOfRange } from '../errors/index.ts';
import { checkSend } from './check-transfer-options.ts';
import { connectionTo, listenerFor, type Dialling, type TransferEndpoint } from './endpoint.ts';
import { SourceTree } from './files/source-tree.ts';
import { PeerListener } from './peer-listener.ts';
import { type BlockHash, usableHashes } from './protocol/block-hash.ts';
import { type ProtectionOptions, protectionOf, type Protection } from './protection.ts';
import type { ReceiptEntry, TransferReceipt } from './receipt.ts';
import { rejectedEvent, type TellRejection } from './rejection-log.ts';
import { SenderSession } from './session/sender-session.ts';
import { TransferLog } from './session/transfer-log.ts';
import type { TransferEvent } from './transfer-event.ts';
import { BlockPool } from './wire/block-pool.ts';
import { MessageWire, type WireTimeouts } from './wire/message-wire.ts';
import type { Wire } from './wire/wire.ts';

export interface SendOptions extends ProtectionOptions, WireTimeouts {
  /** `connect` (the default) to a receiver, or `listen` for one that connects. */
  readonly dialling?: Dialling | undefined;
  /** Files whose blocks go out at the same time, 1 to 64. Default 4. */
  readonly parallel?: number | undefined;
  /** Default Infinity. */
  readonly bytesPerSecond?: number | undefined;
  /** Hash functions beside node:crypto's, the preferred one first. */
  readonly hashes?: readonly BlockHash[] | undefined;
  /** Aborting it ends the transfer; the next one resumes it. */
  readonly signal?: AbortSignal | undefined;
  readonly onEvent?: ((event: TransferEvent) => void) | undefined;
  /**
   * Takes the receipt's entries one by one, which the receipt then doesn't hold: for trees of which
   * nothing but the numbers fits into memory.
   */
  readonly onEntry?: ((entry: ReceiptEntry) => void) | undefined;
  /** Where it listens, once it does. */
  readonly onListening?: ((address: Address) => void) | undefined;
}

/**
 * Sends files and directories to a receiver: whole, verified, resumed where an earlier try stopped.
 *
 * A file counts as sent once the receiver has acknowledged it, which it does when the file is
 * durable under its name. One file that fails leaves the others alone: the receipt and the events
 * tell. After an error or an abort what was acknowledged stays so, and the same call goes on with
 * the rest.
 *
 * @param paths files and directories; each arrives under the last name of its path
 * @param to the receiver's address, or a connected or listening socket
 * @returns the receipt; `complete` says whether all was acknowledged
 * @throws FileError where a path isn't there; TransferError `secret`, `declined`, `version`,
 *   `connection`, …; SocketError; ProtocolError where the peer breaks the protocol; the signal's
 *   reason; what a handler threw; TypeError, RangeError for the options
 *
 * @example
 * const { mkdtemp, writeFile } = await import('node:fs/promises');
 * const [outbox, inbox] = [await mkdtemp('/tmp/outbox-'), await mkdtemp('/tmp/inbox-')];
 * await writeFile(`${outbox}/report`, 'all is well');
 * const secret = generateSecret();
 * await using receiver = await receiveFiles(inbox, { host: '127.0.0.1', port: 0 }, { secret });
 * const receipt = await sendFiles([`${outbox}/report`], receiver.address, { secret });
 * assert.equal(receipt.complete, true);
 */
export async function sendFiles(
  paths: readonly string[],
  to: TransferEndpoint,
  options: SendOptions = {},
): Promise<TransferReceipt> {
  checkSend(paths, options);
  const protection = protectionOf(options);
  const hashes = usableHashes(options.hashes);
  const parallel = checkParallel(options.parallel ?? 4);
  const bytesPerSecond = checkRate(options.bytesPerSecond ?? Number.POSITIVE_INFINITY);
  options.signal?.throwIfAborted();
  const { signal, ...handlers } = guarded(options);
  const tree = await SourceTree.open(paths);
  try {
    const wire = await wireTo(to, protection, { ...options, ...handlers, signal });
    const log = new TransferLog(handlers.onEvent ?? (() => undefined), handlers.onEntry);
    const messages = new MessageWire(wire, 'sender', new BlockPool(1), options);
    const { encrypted } = protection;
    const session = new SenderSession(messages, tree, {
      hashes,
      log,
      encrypted,
      parallel,
      bytesPerSecond,
    });
    const receipt = await untilAborted(session.run(), messages, signal);
    signal.throwIfAborted();
    return receipt;
  } finally {
    await tree.close();
  }
}

/** Handlers of which one that throws aborts the signal, with what it threw. */
function guarded({ signal, onEvent, onEntry }: SendOptions) {
  const thrown = new AbortController();
  const guard =
    <Value>(handler: (value: Value) => void) =>
    (value: Value): void => {
      try {
        handler(value);
      } catch (error) {
        thrown.abort(error);
      }
    };
  return {
    signal: signal === undefined ? thrown.signal : AbortSignal.any([signal, thrown.signal]),
    onEvent: onEvent && guard(onEvent),
    onEntry: onEntry && guard(onEntry),
  };
}

/** Ends a session when the signal says so. */
export async function untilAborted<Result>(
  running: Promise<Result>,
  messages: MessageWire,
  signal: AbortSignal | undefined,
): Promise<Result> {
  const onAbort = (): void => void messages.fail(signal?.reason);
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted === true) onAbort();
  try {
    return await running;
  } catch (error) {
    throw signal?.aborted === true ? signal.reason : error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

async function wireTo(
  to: TransferEndpoint,
  protection: Protection,
  options: SendOptions,
): Promise<Wire> {
  const { signal, dialling = 'connect', onListening, onEvent } = options;
  const listener = listenerFor(to, dialling);
  if (listener === undefined) return protection.client(await connectionTo(to, signal), signal);
  try {
    onListening?.(listener.getsockname());
  } catch (error) {
    listener.close();
    throw error;
  }
  return firstPeer(
    (onPeer, onRejected) => new PeerListener({ listener, protection, onPeer, onRejected }),
    (peer, text, more) => onEvent?.(rejectedEvent(peer, text, more)),
    signal,
  );
}

/** The first peer that knows the secret; later ones are turned away. */
export function firstPeer(
  listen: (onPeer: (wire: Wire) => void, onRejected: TellRejection) => PeerListener,
  onRejected: TellRejection,
  signal: AbortSignal | undefined,
): Promise<Wire> {
  return new Promise((resolve, reject) => {
    let isTaken = false;
    const peers = listen((wire) => {
      if (isTaken) wire.abort(new Error('another peer came first'));
      isTaken = true;
      signal?.removeEventListener('abort', onAbort);
      void peers.close();
      resolve(wire);
    }, onRejected);
    const onAbort = (): void => {
      void peers.close();
      reject(signal?.reason as Error);
    };
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted === true) onAbort();
  });
}

function checkParallel(parallel: number): number {
  if (Number.isInteger(parallel) && parallel >= 1 && parallel <= 64) return parallel;
  throw outOfRange('parallel', 'an integer from 1 to 64', parallel);
}

function checkRate(bytesPerSecond: number): number {
  if (bytesPerSecond > 0) return bytesPerSecond;
  throw outOfRange('bytesPerSecond', 'above 0', bytesPerSecond);
}
