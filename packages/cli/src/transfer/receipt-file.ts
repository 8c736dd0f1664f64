import { closeSync, lstatSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ReceiptEntry, TransferReceipt } from '@sockeye/net/transfer';
import { CommandError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';

const PIECE_LETTERS = 64 * 1024;
const COPY_BYTES = 64 * 1024;

/**
 * What --receipt writes. Entries go to a file without a name as they come, so that a receipt costs no
 * memory; a transfer that didn't run to its end leaves nothing.
 */
export class ReceiptFile {
  readonly #path: string;
  /** One for each peer: a receiver may have several. */
  readonly #spools = new Map<string, Spool>();
  #fault: { error: unknown } | undefined;

  /** @throws CommandError where there is something: it is kept */
  constructor(path: string) {
    this.#path = path;
    if (lstatSync(path, { throwIfNoEntry: false }) !== undefined)
      throw this.#failure('it is there already and is kept');
  }

  #failure(reason: string, cause?: unknown): CommandError {
    const message = `cannot write the receipt to ${this.#path}: ${reason}`;
    return new CommandError(message, undefined, { cause });
  }

  /** What fails here `write` tells: the transfer goes on. */
  add(entry: ReceiptEntry, peer: string): void {
    try {
      const spool = this.#spools.get(peer) ?? new Spool();
      this.#spools.set(peer, spool);
      spool.add(entry);
    } catch (error) {
      this.#fault ??= { error };
    }
  }

  /** Forgets what came of a transfer that ended early. */
  drop(peer: string): void {
    this.#spools.get(peer)?.close();
    this.#spools.delete(peer);
  }

  /** Writes the receipt of the transfer that ended well. */
  write(receipt: TransferReceipt, peer: string): void {
    try {
      if (this.#fault !== undefined) throw this.#fault.error;
      this.#write(receipt, peer);
    } catch (error) {
      throw this.#failure(reasonOf(error), error);
    } finally {
      this.close();
    }
  }

  #write(receipt: TransferReceipt, peer: string): void {
    const fd = openSync(this.#path, 'wx', 0o600);
    try {
      const { entries: _, ...head } = receipt;
      const text = JSON.stringify(head, undefined, 2);
      writeAll(fd, Buffer.from(`${text.slice(0, -2)},\n  "entries": [`));
      this.#spools.get(peer)?.copyTo(fd);
      writeAll(fd, Buffer.from('\n  ]\n}\n'));
    } catch (error) {
      rmSync(this.#path);
      throw error;
    } finally {
      closeSync(fd);
    }
  }

  close(): void {
    for (const peer of this.#spools.keys()) this.drop(peer);
  }
}

/** Entries as JSON, one a line, in a file that was unlinked. */
class Spool {
  readonly #fd: number;
  #text = '';
  #isFirst = true;

  constructor() {
    const directory = mkdtempSync(join(tmpdir(), 'sockeye-receipt-'));
    this.#fd = openSync(join(directory, 'entries'), 'wx+', 0o600);
    rmSync(directory, { recursive: true });
  }

  add(entry: ReceiptEntry): void {
    this.#text += `${this.#isFirst ? '' : ','}\n    ${JSON.stringify(entry)}`;
    this.#isFirst = false;
    if (this.#text.length >= PIECE_LETTERS) this.#flush();
  }

  #flush(): void {
    writeAll(this.#fd, Buffer.from(this.#text));
    this.#text = '';
  }

  copyTo(fd: number): void {
    this.#flush();
    const buffer = Buffer.allocUnsafe(COPY_BYTES);
    for (let at = 0; ; ) {
      const count = readSync(this.#fd, buffer, 0, buffer.length, at);
      if (count === 0) return;
      writeAll(fd, buffer.subarray(0, count));
      at += count;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }
}

function writeAll(fd: number, bytes: Buffer): void {
  for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
}
