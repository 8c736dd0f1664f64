import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { lengthPrefix, ProtocolError } from '../../codec/index.ts';
import { BlockLedger } from './block-ledger.ts';
import { type BlockHash, commonHash, NODE_HASHES, usableHashes } from './block-hash.ts';
import { nameFault, pathFault } from './check-name.ts';
import { decodeMessage } from './decode-message.ts';
import { encodeMessage } from './encode-message.ts';
import { BLOCK_BYTES, MAX_DEPTH } from './limits.ts';
import { MerkleRoot } from './merkle-root.ts';
import { frame, mutateMessages, samples } from './message-samples.test.util.ts';
import { SessionOrder } from './session-order.ts';

const hash = NODE_HASHES[0] as BlockHash;
for (const message of samples) {
  test(`encodeMessage() and decodeMessage() carry ${message.type} over lengthPrefix()`, () => {
    const bytes = frame(message);
    const whole = lengthPrefix({ bytes: 4 }).decoder();
    assert.deepEqual(
      [...whole.push(bytes)].map((body) => decodeMessage(body)),
      [message],
    );
    const split = lengthPrefix({ bytes: 4 }).decoder();
    const bodies = Array.from(bytes, (_, i) => [...split.push(bytes.subarray(i, i + 1))]).flat();
    assert.deepEqual(
      bodies.map((body) => decodeMessage(body)),
      [message],
    );
  });

  test(`decodeMessage() refuses ${message.type} with any one bit flipped, cut or with a tail`, () => {
    const bytes = frame(message);
    const headBytes = encodeMessage(message).length;
    for (let bit = 32; bit < headBytes * 8; bit++) {
      const body = Buffer.from(bytes.subarray(4));
      const at = (bit >> 3) - 4;
      body[at] = (body[at] as number) ^ (1 << (bit & 7));
      assert.throws(() => decodeMessage(body), ProtocolError);
    }
    for (let length = 0; length < headBytes - 4; length++) {
      assert.throws(() => decodeMessage(bytes.subarray(4, 4 + length)), ProtocolError);
    }
    assert.throws(
      () => decodeMessage(Buffer.concat([bytes.subarray(4), Buffer.of(0)])),
      ProtocolError,
    );
  });
}

test('decodeMessage() throws nothing but ProtocolError for 100,000 mutated frames', () => {
  const { accepted, refused } = mutateMessages({ executions: 100_000, seed: 1 });
  assert.equal(accepted + refused, 100_000);
  // A payload isn't covered by the checksum, and half of the checksums were made right again.
  assert.ok(refused > 50_000, `${refused} refused`);
});

test('nameFault() takes ordinary names and nothing that could be more than a name', () => {
  const good = [
    'a',
    '.hidden',
    '名字',
    'a b',
    "it's",
    'x'.repeat(255),
    'né',
    '😀',
    'a..b',
    'a-b',
    '~',
  ];
  for (const name of good) assert.equal(nameFault(name), undefined, name);
  const bad = [
    '',
    '.',
    '..',
    '-x',
    'a/b',
    'a\\b',
    'a\0',
    'a\n',
    '\u202eb',
    'ne\u0301',
    'x'.repeat(256),
  ];
  for (const name of bad) assert.notEqual(nameFault(name), undefined, JSON.stringify(name));
  assert.notEqual(nameFault('\ud800'), undefined);
  assert.equal(pathFault(Array.from({ length: MAX_DEPTH }, () => 'd')), undefined);
  assert.notEqual(pathFault(Array.from({ length: MAX_DEPTH + 1 }, () => 'd')), undefined);
  assert.notEqual(pathFault([]), undefined);
});

/** The tree of RFC 9162, section 2.1, as it is defined there: by halves. */
function treeOf(leaves: readonly Buffer[]): Buffer {
  if (leaves.length === 1) return leaves[0] as Buffer;
  let half = 1;
  while (half * 2 < leaves.length) half *= 2;
  const sides = [treeOf(leaves.slice(0, half)), treeOf(leaves.slice(half))];
  return hash.digest(Buffer.concat([Buffer.of(1), ...sides]));
}

test('MerkleRoot is the tree of RFC 9162 with the size bound in, holes included', () => {
  for (const blocks of [0, 1, 2, 3, 4, 5, 7, 8, 9, 21]) {
    const size = blocks === 0 ? 0 : blocks * BLOCK_BYTES - 5;
    const prefix = Buffer.alloc(9);
    prefix[0] = 2;
    prefix.writeBigUInt64BE(BigInt(size), 1);
    const zero = (i: number) =>
      hash.digest(Buffer.alloc(i === blocks - 1 ? BLOCK_BYTES - 5 : BLOCK_BYTES));
    const leaves = Array.from({ length: blocks }, (_, i) =>
      i % 5 < 3 ? zero(i) : randomBytes(32),
    );
    const top = blocks === 0 ? [] : [treeOf(leaves)];
    const expected = hash.digest(Buffer.concat([prefix, ...top]));
    const single = new MerkleRoot(hash, size);
    for (const leaf of leaves) single.push(leaf);
    assert.deepEqual(single.digest(), expected, `${blocks} blocks`);
    const runs = new MerkleRoot(hash, size);
    for (let i = 0; i < blocks; ) {
      const count = i % 5 === 0 ? Math.min(3, blocks - i) : 0;
      if (count > 0) runs.pushZeros(count);
      else runs.push(leaves[i] as Buffer);
      i += Math.max(count, 1);
    }
    assert.deepEqual(runs.digest(), expected, `${blocks} blocks with holes`);
  }
});

test('MerkleRoot takes a hole of 16 TiB in no time', () => {
  const began = performance.now();
  const tree = new MerkleRoot(hash, 2 ** 44);
  tree.pushZeros(2 ** 25);
  assert.equal(tree.count, 2 ** 25);
  tree.digest();
  assert.ok(performance.now() - began < 1000);
});

test('BlockLedger is complete when every block is settled, in whatever order', () => {
  const size = 5 * BLOCK_BYTES + 1;
  const leaves = Array.from({ length: 6 }, () => randomBytes(32));
  const expected = new MerkleRoot(hash, size);
  for (const leaf of leaves) expected.push(leaf);
  const ledger = new BlockLedger(hash, size, 2);
  ledger.announceKept(0);
  ledger.announceKept(1);
  for (const index of [2, 3, 4]) ledger.announceBlock(index, BLOCK_BYTES);
  ledger.announceBlock(5, 1);
  ledger.end();
  ledger.damaged(1);
  for (const index of [5, 3, 0, 4]) ledger.settled(index, leaves[index] as Buffer);
  assert.equal(ledger.isComplete, false);
  ledger.announceRepair(1, BLOCK_BYTES);
  ledger.settled(1, leaves[1] as Buffer);
  ledger.settled(2, leaves[2] as Buffer);
  assert.equal(ledger.isComplete, true);
  assert.deepEqual(ledger.root(), expected.digest());
});

test('BlockLedger refuses a sender that skips, repeats, ends early or repairs unasked', () => {
  const make = () => new BlockLedger(hash, 3 * BLOCK_BYTES, 1);
  const wrong: ((ledger: BlockLedger) => void)[] = [
    (ledger) => ledger.announceKept(1),
    (ledger) => ledger.announceBlock(0, BLOCK_BYTES),
    (ledger) => ledger.announceBlock(1, BLOCK_BYTES),
    (ledger) => ledger.announceHole(0, 1),
    (ledger) => ledger.announceRepair(0, BLOCK_BYTES),
    (ledger) => ledger.end(),
    (ledger) => {
      ledger.announceKept(0);
      ledger.announceBlock(1, BLOCK_BYTES - 1);
    },
    (ledger) => {
      ledger.announceKept(0);
      ledger.announceHole(1, 3);
    },
    (ledger) => {
      ledger.announceKept(0);
      ledger.announceKept(0);
    },
  ];
  for (const [i, act] of wrong.entries())
    assert.throws(() => act(make()), ProtocolError, `case ${i}`);
});

test('SessionOrder lets a message through at its stage only', () => {
  const order = new SessionOrder('receiver');
  assert.throws(() => order.check('entry'), ProtocolError);
  order.check('hello');
  order.check('failure');
  order.advance('entries');
  order.check('entry');
  assert.throws(() => order.check('hello'), ProtocolError);
  assert.throws(() => order.check('ack'), ProtocolError);
});

test('commonHash() is the first of the sender that the receiver has', () => {
  assert.equal(commonHash(['blake3', 'sha256'], ['sha256', 'blake3']), 'blake3');
  assert.equal(commonHash(['blake3'], ['sha256']), undefined);
});

test('usableHashes() refuses a function that is not what its name says', () => {
  const wrong = { name: 'blake3', digest: (bytes: Buffer) => hash.digest(bytes) };
  assert.throws(() => usableHashes([wrong]), TypeError);
  const short = { name: 'own', digest: () => Buffer.alloc(16) };
  assert.throws(() => usableHashes([short]), TypeError);
});
