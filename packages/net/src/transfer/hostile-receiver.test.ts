import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { HostileReceiver } from './hostile-receiver.test.util.ts';
import { encodeMessage } from './protocol/encode-message.ts';
import { BLOCK_BYTES } from './protocol/limits.ts';
import type { Message } from './protocol/message.ts';
import { TwoDirectories } from './transfers.test.util.ts';

const ROOT = Buffer.alloc(32);

interface Lie {
  readonly name: string;
  /** What comes behind the ACCEPT of a file of two blocks, once the sender has announced both. */
  readonly messages: readonly Message[];
  readonly says: RegExp;
}

const accept = (keptBlocks: number, id = 1): Message => ({ type: 'accept', id, keptBlocks });
const want = (index: number, id = 1): Message => ({ type: 'want', id, index });
const progress = (bytes: number): Message => ({ type: 'progress', bytes });

const LIES: readonly Lie[] = [
  {
    name: 'wants a block again before it came again',
    messages: [want(1), want(0), want(0)],
    says: /block 0 of file 1 is wanted already/,
  },
  { name: 'wants a block that there is not', messages: [want(2)], says: /block 2 .*not announced/ },
  { name: 'wants a block of no entry', messages: [want(0, 2)], says: /no entry 2/ },
  {
    name: 'accepts a file a third time',
    messages: [accept(0), accept(0)],
    says: /file 1 was accepted already/,
  },
  { name: 'keeps more blocks than there are', messages: [accept(3)], says: /3 kept of 2 blocks/ },
  {
    name: 'has dealt with more than was sent',
    messages: [progress(2 * BLOCK_BYTES), progress(2 * BLOCK_BYTES + 1)],
    says: /progress of 1048577 of 1048576 bytes/,
  },
  {
    name: 'takes progress back',
    messages: [progress(BLOCK_BYTES), progress(0)],
    says: /progress went back/,
  },
  {
    name: 'refuses what was not announced',
    messages: [{ type: 'refuse', id: 4, reason: 'exists', text: '' }],
    says: /no entry 4/,
  },
  {
    name: 'acknowledges a directory before the end',
    messages: [{ type: 'ack', id: 0, how: 'written', root: ROOT }],
    says: /directory 0 was acknowledged before done/,
  },
  {
    name: 'acknowledges another root',
    messages: [{ type: 'ack', id: 1, how: 'written', root: ROOT }],
    says: /another root/,
  },
];

for (const { name, messages, says } of LIES) {
  test(`sendFiles() ends the session of a receiver that ${name}`, async () => {
    using place = new TwoDirectories();
    place.write('tree/file', 2 * BLOCK_BYTES);
    const receiver = await HostileReceiver.accepting([join(place.source, 'tree')]);
    await receiver.send(accept(0));
    await receiver.next('end');
    // Together, so that none of them is answered before the next.
    await receiver.sendBytes(Buffer.concat(messages.map((message) => encodeMessage(message))));
    const said = await receiver.next('failure');
    assert.equal(said?.type === 'failure' && said.reason, 'protocol');
    const error = (await receiver.outcome) as Error;
    assert.match(error.message, says);
    receiver.close();
  });
}

test('sendFiles() accepts no second ACCEPT while it sends what the first asked for', async () => {
  using place = new TwoDirectories();
  const receiver = await HostileReceiver.accepting([place.write('file', 64 * BLOCK_BYTES)]);
  // The window is full before END, so that it can't have come.
  for (let i = 0; i < 100_000; i++) {
    const sent = await receiver.send(accept(0, 0)).then(
      () => true,
      () => false,
    );
    if (!sent) break;
  }
  const said = await receiver.next('failure');
  assert.equal(said?.type === 'failure' && said.reason, 'protocol');
  assert.match(String(await receiver.outcome), /file 0 was accepted already/);
  receiver.close();
});

test('sendFiles() repairs what is wanted, once for each time, in any order', async () => {
  using place = new TwoDirectories();
  const receiver = await HostileReceiver.accepting([place.write('file', 3 * BLOCK_BYTES)]);
  await receiver.send(accept(3, 0));
  await receiver.next('end');
  const came: number[] = [];
  for (const index of [2, 0, 2, 2, 1]) {
    await receiver.send(want(index, 0));
    const repair = await receiver.next('repair', 'failure');
    assert.equal(repair?.type, 'repair');
    if (repair?.type === 'repair') came.push(repair.index);
  }
  assert.deepEqual(came, [2, 0, 2, 2, 1]);
  receiver.close();
  await receiver.outcome;
});
