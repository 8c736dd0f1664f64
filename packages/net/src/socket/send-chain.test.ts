import assert from 'node:assert/strict';
import { test } from 'node:test';
import { receiveExactly, tcpPair } from './sockets.test.util.ts';

test('sendall() after sendall() does not wait for another event', async () => {
  using pair = await tcpPair();
  const started = performance.now();
  for (let i = 0; i < 200; i++) await pair.client.sendall(Buffer.from([i]));
  // The watchdog would find a lost flush, after 300 ms each time.
  assert.ok(performance.now() - started < 3_000, `${performance.now() - started} ms`);
  assert.equal((await receiveExactly(pair.server, 200))[199], 199);
});
