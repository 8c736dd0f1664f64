import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SO_SNDBUF, SOL_SOCKET } from '../../constants/index.ts';
import type { Socket } from '../../socket/index.ts';
import { tcpPair, unixPair } from '../../socket/sockets.test.util.ts';
import { receiveFiles } from '../receive-files.ts';
import { sendFiles } from '../send-files.ts';
import { MIB, TwoDirectories } from '../transfers.test.util.ts';
import { sendBufferLimits, widenSendBuffer } from './widen-send-buffer.ts';

const sendBuffer = (socket: Socket<number>) => socket.getsockopt(SOL_SOCKET, SO_SNDBUF);
const { allowedBytes, grownBytes } = sendBufferLimits();

test('the send buffer takes all of the window, as far as the kernel allows', async () => {
  using pair = await tcpPair();
  widenSendBuffer(pair.client, { grownBytes: 4 * MIB, allowedBytes: 16 * MIB });
  pair.server.setsockopt(SOL_SOCKET, SO_SNDBUF, 4 * MIB);
  assert.equal(sendBuffer(pair.client), sendBuffer(pair.server));
});

for (const [allowed, grown] of [
  [212_992, 4 * MIB],
  [2 * MIB, 4 * MIB],
  [4 * MIB, 8 * MIB],
  [0, 0],
] as const) {
  test(`where ${allowed} bytes may be asked for and ${grown} come by themselves, none are asked for`, async () => {
    using pair = await tcpPair();
    const before = sendBuffer(pair.client);
    widenSendBuffer(pair.client, { allowedBytes: allowed, grownBytes: grown });
    assert.equal(sendBuffer(pair.client), before);
  });
}

test('what may be asked for is, where it is less than the window and more than comes by itself', async () => {
  using pair = await tcpPair();
  widenSendBuffer(pair.client, { allowedBytes: 100_000, grownBytes: 150_000 });
  assert.equal(sendBuffer(pair.client), 200_000);
});

test('a Unix socket is left alone', () => {
  using pair = unixPair();
  const before = sendBuffer(pair.client);
  widenSendBuffer(pair.client, { grownBytes: 0, allowedBytes: 100_000 });
  assert.equal(sendBuffer(pair.client), before);
});

test("the system's limit is the one that the kernel holds to", async (t) => {
  if (allowedBytes === 0) {
    t.skip('/proc/sys/net/core/wmem_max is hidden here');
    return;
  }
  using pair = await tcpPair();
  pair.client.setsockopt(SOL_SOCKET, SO_SNDBUF, 2 ** 30);
  assert.equal(sendBuffer(pair.client), 2 * allowedBytes);
});

test('a transfer widens the send buffer of its connection', async (t) => {
  const most = 2 * Math.min(4 * MIB, allowedBytes);
  if (most <= grownBytes) {
    t.skip(`the kernel allows send buffers of ${most} bytes, ${grownBytes} come by themselves`);
    return;
  }
  using place = new TwoDirectories();
  using pair = await tcpPair();
  const path = place.write('file', 'all is well');
  let buffer = 0;
  const onEvent = (): void => void (buffer ||= sendBuffer(pair.client));
  await using receiver = await receiveFiles(place.inbox, pair.server, { insecure: true });
  await sendFiles([path], pair.client, { insecure: true, onEvent });
  await receiver.finished();
  assert.equal(buffer, most);
});
