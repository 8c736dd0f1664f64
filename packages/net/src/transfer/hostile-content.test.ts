import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { rejection, until } from '../testing/index.ts';
import { HostileSender, plainEntry } from './hostile-sender.test.util.ts';
import { encodeMessage } from './protocol/encode-message.ts';
import { NODE_HASHES } from './protocol/block-hash.ts';
import { BLOCK_BYTES } from './protocol/limits.ts';
import { MerkleRoot } from './protocol/merkle-root.ts';
import { sealOf } from './protocol/seal.ts';
import { receiveFiles } from './receive-files.ts';
import { LOOPBACK, TwoDirectories } from './transfers.test.util.ts';

const [hash] = NODE_HASHES as [(typeof NODE_HASHES)[0] & object];

test('receiveFiles() takes no hole in a file that was not announced as sparse', async () => {
  using place = new TwoDirectories();
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true });
  const sender = await HostileSender.offering((receiver.address as { port: number }).port);
  const entry = plainEntry(['file'], 2 * BLOCK_BYTES);
  await sender.send({ type: 'entry', entry });
  assert.equal((await sender.next('accept'))?.type, 'accept');
  await sender.send({ type: 'hole', id: 0, index: 0, count: 2 });
  const tree = new MerkleRoot(hash, entry.size);
  tree.pushZeros(2);
  const root = tree.digest();
  await sender.send({ type: 'end', id: 0, root, seal: sealOf(hash, entry, root) });
  // Acknowledged it would be a file of no bytes, and a receipt that says 1 MiB.
  const said = await sender.next('ack', 'refuse', 'failure');
  assert.equal(said?.type === 'failure' && said.reason, 'protocol');
  sender.close();
  await receiver.close();
  assert.deepEqual(readdirSync(place.inbox), []);
});

test('receiveFiles() reads no more from a sender that reads no answer, and gives it up', async () => {
  using place = new TwoDirectories();
  const ended: string[] = [];
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, {
    insecure: true,
    idleTimeoutMs: 500,
    onEvent: (event) => {
      if (event.type === 'ended') ended.push(event.error.message);
    },
  });
  const { port } = receiver.address as { port: number };
  const sender = await HostileSender.offering(port, 100_000);
  // Each of 1 kB is refused with as much, for there is no directory above it.
  const path = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(250));
  const announce = async (): Promise<void> => {
    for (let first = 0; first < 60_000; first += 200) {
      const frames = Array.from({ length: 200 }, (_, i) => {
        const entry = { ...plainEntry(path, 0, first + i), kind: 'directory' as const };
        return encodeMessage({ type: 'entry', entry });
      });
      await sender.sendBytes(Buffer.concat(frames));
    }
  };
  await rejection(announce());
  await until(() => ended.length === 1, 'the session ended');
  assert.match(ended[0] ?? '', /sends nothing|reads nothing/);
  sender.close();
});
