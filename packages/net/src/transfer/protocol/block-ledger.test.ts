import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runNode } from '../../testing/index.ts';
import { NODE_HASHES, type BlockHash } from './block-hash.ts';
import { BlockLedger } from './block-ledger.ts';
import { BLOCK_BYTES } from './limits.ts';
import { MerkleRoot } from './merkle-root.ts';

const [hash] = NODE_HASHES as [BlockHash];
const url = (name: string): string => JSON.stringify(new URL(name, import.meta.url).href);

test('BlockLedger takes holes in pieces, whole or not, behind a block that comes late', () => {
  const blocks = 20;
  const size = blocks * BLOCK_BYTES - 1;
  const data = new Set([0, 6, 7, 13]);
  const leaf = hash.digest(Buffer.from('data'));
  const expected = new MerkleRoot(hash, size);
  const ledger = new BlockLedger(hash, size, 0);
  for (let index = 0; index < blocks; index++) {
    if (data.has(index)) expected.push(leaf);
    else expected.pushZeros(1);
    if (data.has(index)) ledger.announceBlock(index, BLOCK_BYTES);
    else ledger.announceHole(index, 1);
  }
  ledger.end();
  for (const index of [13, 7, 0, 6]) ledger.settled(index, leaf);
  assert.equal(ledger.isComplete, true);
  assert.deepEqual(ledger.root(), expected.digest());
});

test('BlockLedger keeps nothing of a million holes behind a block that never comes', async () => {
  const { stdout, stderr } = await runNode(
    `
    const { BlockLedger } = await import(${url('./block-ledger.js')});
    const { NODE_HASHES } = await import(${url('./block-hash.js')});
    const ledger = new BlockLedger(NODE_HASHES[0], 2 ** 44, 0);
    ledger.announceBlock(0, ${BLOCK_BYTES});
    ledger.damaged(0);
    gc();
    const before = process.memoryUsage().heapUsed;
    for (let index = 1; index <= 1_000_000; index++) ledger.announceHole(index, 1);
    gc();
    const bytes = process.memoryUsage().heapUsed - before;
    ledger.announceHole(1_000_001, 1);
    console.log(bytes);
  `,
    { flags: ['--expose-gc'] },
  );
  assert.ok(stdout !== '' && Number(stdout) < 1_000_000, `${stdout} bytes ${stderr}`);
});
