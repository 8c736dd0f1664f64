import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { before, test } from 'node:test';
import { needs } from '../testing/index.ts';
import { HostileSender, plainEntry } from './hostile-sender.test.util.ts';
import { NODE_HASHES } from './protocol/block-hash.ts';
import { WHOLE_BYTES } from './protocol/limits.ts';
import { MerkleRoot } from './protocol/merkle-root.ts';
import { receiveFiles } from './receive-files.ts';
import { contents, LOOPBACK, transfer, TwoDirectories } from './transfers.test.util.ts';

const [hash] = NODE_HASHES as [(typeof NODE_HASHES)[0] & object];
const skip = await needs('linux', 'prlimit');

// Fewer than the entries that may be announced at once; for both sides, which are this process.
before(() => {
  if (skip.skip !== false) return;
  execFileSync('prlimit', ['--pid', String(process.pid), '--nofile=200:']);
});

test('with 200 descriptors every one of 800 files arrives', skip, async () => {
  using place = new TwoDirectories();
  for (let i = 0; i < 400; i++) {
    place.write(`tree/large-${i}`, WHOLE_BYTES + 1);
    place.write(`tree/small-${i}`, 100);
  }
  const { events } = await transfer([place.source], place.inbox);
  assert.deepEqual(
    events.filter(({ type }) => type === 'failed'),
    [],
  );
  assert.equal(contents(place.inbox).size, 800);
});

test('a file that is given up before it could be opened holds up no other', skip, async () => {
  using place = new TwoDirectories();
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true });
  const sender = await HostileSender.offering((receiver.address as { port: number }).port);
  const entries = Array.from({ length: 100 }, (_, id) => plainEntry([`file-${id}`], 1, id));
  for (const entry of entries) await sender.send({ type: 'entry', entry });
  assert.equal((await sender.next('accept'))?.type, 'accept');
  await sender.send({ type: 'abandon', id: 99, reason: 'source-failed', text: 'it is gone' });
  const refused = await sender.next('refuse');
  assert.equal(refused?.type === 'refuse' && refused.id, 99);
  const root = (content: Buffer): Buffer => {
    const tree = new MerkleRoot(hash, 1);
    tree.push(hash.digest(content));
    return tree.digest();
  };
  // Those that are open already.
  for (const entry of entries.slice(0, 40)) {
    const content = Buffer.from([entry.id]);
    const said = await sender.sendRest(entry, content, root(content));
    assert.equal(said?.type, 'ack', `file ${entry.id}`);
  }
  sender.close();
  await receiver.close();
  assert.equal(contents(place.inbox).size, 40);
});

test('files that are given up before they could be opened let no others in', skip, async () => {
  using place = new TwoDirectories();
  await using receiver = await receiveFiles(place.inbox, LOOPBACK, { insecure: true });
  const sender = await HostileSender.offering((receiver.address as { port: number }).port);
  const entries = Array.from({ length: 150 }, (_, id) => plainEntry([`file-${id}`], 1, id));
  for (const entry of entries) await sender.send({ type: 'entry', entry });
  // A third of what the process may open, but for 64.
  for (let open = 0; open < 45; open++) await sender.next('accept');
  // The last one is open; until then nobody else is.
  for (const id of [...Array.from({ length: 90 }, (_, i) => 149 - i), 44]) {
    await sender.send({ type: 'abandon', id, reason: 'source-failed', text: 'it is gone' });
    const said = await sender.next('accept', 'refuse');
    assert.deepEqual(said?.type === 'refuse' && said.id, id, JSON.stringify(said));
  }
  const next = await sender.next('accept');
  assert.equal(next?.type === 'accept' && next.id, 45);
  sender.close();
});
