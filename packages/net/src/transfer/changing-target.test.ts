import assert from 'node:assert/strict';
import { appendFileSync, readdirSync, statSync, truncateSync, watch, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { BLOCK_BYTES } from './protocol/limits.ts';
import { Proxy, transfer, TwoDirectories } from './transfers.test.util.ts';

const blocks = (count: number): Buffer => Buffer.alloc(count * BLOCK_BYTES, 'x');

test("receiveFiles() with existing: 'append' keeps a file that grows beyond what is sent", async () => {
  using place = new TwoDirectories();
  const path = place.write('log', blocks(12));
  const target = join(place.inbox, 'log');
  writeFileSync(target, blocks(8));
  // The unfinished file is there: its beginning is copied next.
  const watcher = watch(place.inbox, (_event, name) => {
    if (name?.endsWith('.part') !== true) return;
    watcher.close();
    appendFileSync(target, blocks(20));
  });
  const { receipt } = await transfer([path], place.inbox, { receive: { existing: 'append' } });
  assert.equal(receipt.entries[0]?.reason, 'exists');
  assert.equal(statSync(target).size, 28 * BLOCK_BYTES);
  assert.deepEqual(readdirSync(place.inbox), ['log']);
});

for (const [what, size] of [
  ['a small file', 1000],
  ['a file of many blocks', 3 * BLOCK_BYTES],
] as const) {
  test(`receiveFiles() doesn't call ${what} identical that grows while it is compared`, async () => {
    using place = new TwoDirectories();
    const content = Buffer.alloc(size, 'x');
    const path = place.write('file', content);
    const target = join(place.inbox, 'file');
    writeFileSync(target, content);
    // ACCEPT is on its way: its size was looked at.
    const accept = Buffer.from([0, 0, 0, 17, 5]);
    const grow = (chunk: Buffer): Buffer => {
      if (chunk.includes(accept)) appendFileSync(target, 'more');
      return chunk;
    };
    using proxy = new Proxy(undefined, grow);
    const { receipt } = await transfer([path], place.inbox, {
      through: (port) => proxy.listen(port),
    });
    assert.equal(receipt.entries[0]?.reason, 'exists');
    assert.equal(statSync(target).size, size + 4);
  });
}

test("receiveFiles() with existing: 'append' completes a sparse file whose beginning ends in a hole", async () => {
  using place = new TwoDirectories();
  const path = place.write('sparse', 'x');
  truncateSync(path, 4 * BLOCK_BYTES);
  const target = join(place.inbox, 'sparse');
  writeFileSync(target, 'x');
  truncateSync(target, 2 * BLOCK_BYTES + 7);
  const { receipt } = await transfer([path], place.inbox, { receive: { existing: 'append' } });
  assert.equal(receipt.complete, true, receipt.entries[0]?.text);
  assert.equal(statSync(target).size, 4 * BLOCK_BYTES);
});
