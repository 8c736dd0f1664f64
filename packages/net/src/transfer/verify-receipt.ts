import { invalidType } from '../errors/index.ts';
import { FILE } from './files/file-constants.ts';
import type { OpenFile } from './files/open-file.ts';
import { RootDirectory } from './files/root-directory.ts';
import { type BlockHash, usableHashes } from './protocol/block-hash.ts';
import { pathFault } from './protocol/check-name.ts';
import { BLOCK_BYTES, blockCount, blockLength, HASH_BYTES } from './protocol/limits.ts';
import { MerkleRoot } from './protocol/merkle-root.ts';
import type { ReceiptEntry, TransferReceipt } from './receipt.ts';
import { TransferError } from './transfer-error.ts';

/** What was found of one entry of a receipt. */
export interface VerifiedEntry {
  readonly path: readonly string[];
  /** `unverified`: the receipt says that it wasn't transferred, or of what its sides disagree. */
  readonly state: 'same' | 'different' | 'missing' | 'unverified';
  /** Why, where it isn't the same. */
  readonly text?: string;
}

export interface Verification {
  /** Whether everything that was offered came, as the receipt says, and is the same. */
  readonly ok: boolean;
  readonly entries: readonly VerifiedEntry[];
}

export interface VerifyOptions {
  /** Hash functions beside node:crypto's. */
  readonly hashes?: readonly BlockHash[] | undefined;
  readonly signal?: AbortSignal | undefined;
  readonly onEntry?: ((entry: VerifiedEntry) => void) | undefined;
}

/**
 * Checks, without a network, that a directory still holds what a receipt says was transferred:
 * every file is read and hashed again.
 *
 * @param receipt of either side, as it came out of JSON: it is checked
 * @param directory the one that was received into, or the parent of what was sent
 * @returns what was found; a file that is missing or differs is no exception
 * @throws TypeError for what is no receipt; TransferError `unsupported` for a hash function that is
 *   neither in `hashes` nor node:crypto's; FileError where the directory isn't there
 *
 * @example
 * const { mkdtemp, writeFile } = await import('node:fs/promises');
 * const [outbox, inbox] = [await mkdtemp('/tmp/outbox-'), await mkdtemp('/tmp/inbox-')];
 * await writeFile(`${outbox}/report`, 'all is well');
 * const options = { secret: generateSecret() };
 * await using receiver = await receiveFiles(inbox, { host: '127.0.0.1', port: 0 }, options);
 * const receipt = await sendFiles([`${outbox}/report`], receiver.address, options);
 * await writeFile(`${inbox}/report`, 'all is lost');
 * assert.equal((await verifyReceipt(receipt, inbox)).ok, false);
 * assert.equal((await verifyReceipt(receipt, outbox)).ok, true);
 */
export async function verifyReceipt(
  receipt: TransferReceipt,
  directory: string,
  options: VerifyOptions = {},
): Promise<Verification> {
  checkReceipt(receipt);
  const hash = usableHashes(options.hashes).find(({ name }) => name === receipt.hash);
  if (hash === undefined) {
    throw new TransferError(
      'unsupported',
      `Cannot verify: ${JSON.stringify(receipt.hash)} is missing`,
    );
  }
  const root = await RootDirectory.open(directory);
  try {
    const entries: VerifiedEntry[] = [];
    for (const entry of receipt.entries) {
      options.signal?.throwIfAborted();
      const verified = { path: entry.path, ...(await verifyEntry(root, hash, entry)) };
      entries.push(verified);
      options.onEntry?.(verified);
    }
    const isSame = entries.every(({ state }) => state === 'same');
    return { ok: receipt.complete && isSame, entries };
  } finally {
    await root.close();
  }
}

const FILE_TYPE = 0o170000n;
const REGULAR = 0o100000n;

type Finding = Omit<VerifiedEntry, 'path'>;

async function verifyEntry(
  root: RootDirectory,
  hash: BlockHash,
  entry: ReceiptEntry,
): Promise<Finding> {
  if (entry.state === 'failed') return { state: 'unverified', text: entry.text ?? 'it failed' };
  if (entry.senderRoot !== entry.receiverRoot) {
    return { state: 'unverified', text: 'the sides of the receipt disagree' };
  }
  try {
    const flags = entry.kind === 'directory' ? FILE.O_DIRECTORY : FILE.O_NONBLOCK;
    const file = await root.findFile(entry.path, FILE.O_RDONLY | flags);
    if (file === undefined) return { state: 'missing', text: 'there is none' };
    try {
      return entry.kind === 'directory' ? { state: 'same' } : await compare(file, hash, entry);
    } finally {
      await file.close();
    }
  } catch (error) {
    return { state: 'different', text: (error as Error).message };
  }
}

async function compare(file: OpenFile, hash: BlockHash, entry: ReceiptEntry): Promise<Finding> {
  const { size, mode } = await file.stat();
  if ((mode & FILE_TYPE) !== REGULAR) return { state: 'different', text: 'it is no regular file' };
  if (Number(size) !== entry.size) {
    return { state: 'different', text: `its size is ${size}, not ${entry.size}` };
  }
  const root = await rootOf(file, hash, entry.size);
  if ((await file.stat()).size !== size) return { state: 'different', text: 'its size changes' };
  if (root.toString('hex') === entry.receiverRoot) return { state: 'same' };
  return { state: 'different', text: 'its content differs' };
}

async function rootOf(file: OpenFile, hash: BlockHash, size: number): Promise<Buffer> {
  const tree = new MerkleRoot(hash, size);
  const buffer = Buffer.allocUnsafeSlow(BLOCK_BYTES);
  for (let index = 0; index < blockCount(size); index++) {
    const block = buffer.subarray(0, blockLength(size, index));
    const count = await file.read(block, index * BLOCK_BYTES);
    tree.push(hash.digest(block.subarray(0, count)));
  }
  return tree.digest();
}

/** @throws TypeError */
function checkReceipt(receipt: TransferReceipt): void {
  const { format, version, blockBytes, entries, acknowledged, failed, complete } = (receipt ??
    {}) as Partial<TransferReceipt>;
  if (format !== 'sockeye-receipt' || version !== 1 || blockBytes !== BLOCK_BYTES) {
    throw invalidType('receipt', 'a sockeye-receipt of version 1', receipt);
  }
  if (!Array.isArray(entries) || !entries.every(isEntry)) {
    throw invalidType('receipt', 'a receipt whose entries have the right form', receipt);
  }
  if (typeof complete !== 'boolean') {
    throw invalidType('receipt', 'a receipt that says whether it is complete', receipt);
  }
  if (entries.length !== Number(acknowledged) + Number(failed)) {
    throw invalidType('receipt', 'a receipt that holds as many entries as it counts', receipt);
  }
}

const ROOT = new RegExp(`^[0-9a-f]{${2 * HASH_BYTES}}$`);

function isEntry(entry: unknown): boolean {
  const { path, kind, size, state, senderRoot, receiverRoot } = (entry ?? {}) as ReceiptEntry;
  if (!Array.isArray(path) || !path.every((name) => typeof name === 'string')) return false;
  if (state === 'failed') return true;
  if (state !== 'written' && state !== 'identical') return false;
  if (pathFault(path) !== undefined) return false;
  if (kind === 'directory') return true;
  const roots = [senderRoot, receiverRoot];
  return (
    kind === 'file' && Number.isSafeInteger(size) && roots.every((root) => ROOT.test(root ?? ''))
  );
}
