import assert from 'node:assert/strict';
import { test } from 'node:test';
import { native } from '@sockeye/native';
import { turns } from '../testing/index.ts';
import { Descriptor } from './descriptor.ts';
import { engine } from './engine.ts';
import { receive } from './receive.ts';
import { SendAll } from './send-all.ts';
import { SocketOrigin } from './socket-origin.ts';
import { tcpPair, unixPair } from './sockets.test.util.ts';

/** A descriptor without its Socket, as the layers above use it. */
function bare(fd: number): {
  descriptor: Descriptor;
  recv: () => Parameters<Descriptor['startWith']>[0];
} {
  // detach() gave it away in blocking mode.
  native.setNonblocking(fd, true);
  const descriptor = new Descriptor(fd, new SocketOrigin({ family: 1, type: 1, proto: 0 }));
  const source = { descriptor, proto: 0, waitsForAll: false };
  return { descriptor, recv: () => receive(source, 100, 0) };
}

const wait = { timeout: null, owner: {} };
const fail = (reason: unknown): void => assert.fail(String(reason));

test('startWith() callbacks run after the whole batch: one that closes another’s socket loses nothing', async () => {
  using first = unixPair();
  using second = unixPair();
  const a = bare(first.server.detach());
  const b = bare(second.server.detach());
  const seen: string[] = [];
  a.descriptor.startWith(
    a.recv(),
    wait,
    (data) => {
      seen.push(`a ${String(data)}`);
      b.descriptor.close();
    },
    fail,
  );
  b.descriptor.startWith(
    b.recv(),
    wait,
    (data) => {
      seen.push(`b ${String(data)}`);
      a.descriptor.close();
    },
    fail,
  );
  // Both events are there before the poller looks: one batch.
  first.client.sendSync(Buffer.from('1'));
  second.client.sendSync(Buffer.from('2'));
  await turns(3);
  assert.deepEqual(seen.toSorted(), ['a 1', 'b 2']);
});

test('startWith() callbacks of sends run after every send of the turn was counted', async () => {
  using first = unixPair();
  using second = unixPair();
  const a = bare(first.server.detach());
  const b = bare(second.server.detach());
  const controller = new AbortController();
  const results: string[] = [];
  a.descriptor.startWith(
    new SendAll(a.descriptor, Buffer.from('aa'), 0),
    wait,
    () => {
      results.push('a');
      controller.abort(new Error('late'));
    },
    fail,
  );
  const sending = new SendAll(b.descriptor, Buffer.from('bb'), 0);
  b.descriptor.startWith(
    sending,
    { ...wait, signal: controller.signal },
    () => results.push('b'),
    fail,
  );
  assert.equal((await second.client.recv(10)).toString(), 'bb');
  await turns();
  assert.deepEqual(results, ['a', 'b']);
  assert.equal(sending.sent, 2);
  a.descriptor.close();
  b.descriptor.close();
});

test('a descriptor’s slot is used again, and the control words grow with the number of sockets', async () => {
  const pairs = await Promise.all(Array.from({ length: 300 }, () => tcpPair()));
  const receiving = pairs.map(({ server }) => server.recv(10));
  // More than FIRST_SLOTS of them wait at once.
  await turns();
  pairs.forEach(({ client }, i) => client.sendSync(Buffer.from(`${i}`)));
  const received = (await Promise.all(receiving)).map(Number);
  assert.deepEqual(
    received,
    pairs.map((_, i) => i),
  );
  for (const pair of pairs) pair[Symbol.dispose]();
  using again = await tcpPair();
  const waiting = again.server.recv(10);
  await again.client.sendall(Buffer.from('again'));
  assert.equal((await waiting).toString(), 'again');
  assert.equal(engine.lostEvents, 0);
});
