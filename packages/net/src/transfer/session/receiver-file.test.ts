import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NODE_HASHES } from '../protocol/block-hash.ts';
import type { Entry, Message } from '../protocol/message.ts';
import { MerkleRoot } from '../protocol/merkle-root.ts';
import { sealOf } from '../protocol/seal.ts';
import type { SinkFile } from '../sink.ts';
import { BlockPool } from '../wire/block-pool.ts';
import type { MessageWire } from '../wire/message-wire.ts';
import { ReceiverFile } from './receiver-file.ts';

const [hash] = NODE_HASHES as [(typeof NODE_HASHES)[0] & object];
const payload = Buffer.from('all of it');
const entry: Entry = {
  id: 0,
  kind: 'file',
  path: ['file'],
  size: payload.length,
  mode: 0o600,
  mtimeSeconds: 1,
  mtimeNanoseconds: 0,
  sparse: false,
};

/** What happens, in its order, to a small file that a sink has or hasn't something of. */
async function steps(keptBlocks: number): Promise<string[]> {
  const order: string[] = [];
  const tree = new MerkleRoot(hash, payload.length);
  tree.push(hash.digest(payload));
  const root = tree.digest();
  await new Promise<void>((resolve) => {
    const target = {
      keptBlocks,
      isComparison: keptBlocks > 0,
      write: () => Promise.resolve(),
      commit: () => Promise.resolve(),
    } as unknown as SinkFile;
    const wire = {
      send({ type }: Message) {
        order.push(type);
        resolve();
        return Promise.resolve();
      },
    } as unknown as MessageWire;
    const context = {
      wire,
      hash,
      pool: new BlockPool(1),
      sink: { open: () => Promise.resolve(target) },
      confirm: () => order.push('confirmed'),
      progress: () => undefined,
      releaseWhole: () => order.push('released'),
    };
    const file = new ReceiverFile(context, entry, () => {
      order.push('over');
      resolve();
    });
    const seal = sealOf(hash, entry, root);
    file.openWhole(Promise.resolve(), { type: 'whole', entry, root, seal, payload });
  });
  return order;
}

test('a whole file is answered once its room is free, so that the sender may send the next', async () => {
  assert.deepEqual(await steps(0), ['confirmed', 'released', 'over']);
  assert.deepEqual(await steps(1), ['confirmed', 'released', 'accept']);
});
