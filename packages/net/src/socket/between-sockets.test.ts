// What splice() and relay() promise alike of two sockets.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { SHUT_WR } from '../constants/index.ts';
import { relay } from './relay.ts';
import { type Pair, receiveExactly, tcpPair, unixPair } from './sockets.test.util.ts';
import { splice } from './splice.ts';

const content = randomBytes(5 * 1024 * 1024 + 17);
const PAIRS: Record<string, () => Pair<number> | Promise<Pair<number>>> = {
  tcp: tcpPair,
  unix: unixPair,
};

for (const move of [splice, relay]) {
  for (const [from, makeFrom] of Object.entries(PAIRS)) {
    for (const [to, makeTo] of Object.entries(PAIRS)) {
      test(`${move.name}() moves every byte from ${from} to ${to}, and leaves both ends open`, async () => {
        using near = await makeFrom();
        using far = await makeTo();
        let told = 0;
        const moved = move(near.server, far.client, { onMoved: (bytes) => (told += bytes) });
        const sent = near.client.sendall(content).then(() => near.client.shutdown(SHUT_WR));
        assert.ok((await receiveExactly(far.server, content.length)).equals(content));
        await sent;
        assert.deepEqual([await moved, told], [content.length, content.length]);
        await far.client.sendall(Buffer.from('still open'));
        assert.equal((await far.server.recv(100)).toString(), 'still open');
        await near.server.sendall(Buffer.from('back'));
        assert.equal((await near.client.recv(100)).toString(), 'back');
      });
    }
  }

  test(`${move.name}() goes behind what was sent before it`, async () => {
    using near = unixPair();
    using far = await tcpPair();
    near.client.sendSync(Buffer.from(' then this'));
    near.client.close();
    const first = far.client.sendall(Buffer.from('first this,'));
    assert.equal(await move(near.server, far.client), 10);
    await first;
    assert.equal((await receiveExactly(far.server, 21)).toString(), 'first this, then this');
  });
}
