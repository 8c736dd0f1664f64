import { createHash } from 'node:crypto';
import { invalidType } from '../../errors/index.ts';
import { HASH_BYTES } from './limits.ts';

/**
 * A hash function of 32 bytes that both sides know by its name.
 *
 * @example
 * const { createHash } = await import('node:crypto');
 * const own = { name: 'sha3-256', digest: (bytes) => createHash('sha3-256').update(bytes).digest() };
 * assert.equal(usableHashes([own])[0], own);
 */
export interface BlockHash {
  /** What the protocol calls it: `blake3`, `sha256`, `sha512-256`. */
  readonly name: string;
  digest(bytes: Buffer): Buffer;
}

function nodeHash(name: string): BlockHash {
  return { name, digest: (bytes) => createHash(name).update(bytes).digest() };
}

/**
 * What node:crypto has. SHA-256 goes first: 1.7 GB/s with the processor's instructions for it,
 * SHA-512/256 0.8; without them 0.2 and 0.5. BLAKE3 of a package of its own did 5.4.
 */
export const NODE_HASHES: readonly BlockHash[] = [nodeHash('sha256'), nodeHash('sha512-256')];

const TEST_INPUT = Buffer.from('sockeye');
/** The three that the protocol names, of {@link TEST_INPUT}, so that a wrong one is found here. */
export const KNOWN_DIGESTS: ReadonlyMap<string, string> = new Map([
  ['blake3', '5c53f67c50ab39c601d0ab7e1d9b9915e4c1ff143bbd1e81495cf5f429eb7a78'],
  ['sha256', 'eb17581a98878e43d6c908bba1f1278b6b80b116396b2cc7d056b2699292d164'],
  ['sha512-256', '0a0db53cec838abebf0544e58bcaeb1e6fc0e98a00006e0653bae91c1ff47394'],
]);

/** The functions that the options add, checked, before those of node:crypto. */
export function usableHashes(added: readonly BlockHash[] = []): readonly BlockHash[] {
  if (!Array.isArray(added)) throw invalidType('hashes', 'an array', added);
  for (const hash of added) checkHash(hash);
  const names = new Set(added.map(({ name }) => name));
  return [...added, ...NODE_HASHES.filter(({ name }) => !names.has(name))];
}

function checkHash(hash: BlockHash): void {
  if (typeof hash?.name !== 'string' || typeof hash.digest !== 'function') {
    throw invalidType('hashes', 'objects with name and digest', hash);
  }
  const digest = hash.digest(TEST_INPUT);
  const known = KNOWN_DIGESTS.get(hash.name);
  if (digest.length !== HASH_BYTES || (known !== undefined && digest.toString('hex') !== known)) {
    throw invalidType('hashes', `a function whose digest is ${hash.name} of 32 bytes`, hash);
  }
}

/** The first of the sender's that the receiver has too. */
export function commonHash(sender: readonly string[], receiver: readonly string[]) {
  return sender.find((name) => receiver.includes(name));
}
