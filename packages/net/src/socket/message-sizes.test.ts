import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SHUT_WR, SOCK_SEQPACKET } from '../constants/index.ts';
import { randomFrom } from '../testing/index.ts';
import type { Socket } from './socket.ts';
import { tcpPair, unixPair } from './sockets.test.util.ts';

// Around what is received by way of the slab, what is not, and what one receive takes at most.
const SIZES = [
  1, 64, 4095, 4096, 8191, 8192, 8193, 12_288, 16_384, 65_535, 65_536, 65_537, 200_000,
];
const MESSAGES = 400;
const SEED = 11;

/** The byte at a place of the stream. */
function byteAt(at: number): number {
  return (at * 31 + (at >>> 8) * 7) & 0xff;
}

function checkAt(chunk: Uint8Array, start: number): void {
  for (let i = 0; i < chunk.length; i++) {
    if (chunk[i] !== byteAt(start + i))
      assert.fail(`byte ${start + i} is not the one that was sent`);
  }
}

/** Sends messages of all sizes, some awaited and some at once; ends the stream. */
async function sendMessages(socket: Socket): Promise<number> {
  const random = randomFrom(SEED);
  let sent = 0;
  let waiting: Promise<void>[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    const start = sent;
    const size = SIZES[Math.floor(random() * SIZES.length)] as number;
    waiting.push(socket.sendall(Uint8Array.from({ length: size }, (_, at) => byteAt(start + at))));
    sent += size;
    if (random() < 0.3) continue;
    await Promise.all(waiting);
    waiting = [];
  }
  await Promise.all(waiting);
  socket.shutdown(SHUT_WR);
  return sent;
}

async function iterate(socket: Socket): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  for await (const chunk of socket) chunks.push(chunk as Buffer);
  return chunks;
}

async function receiveEach(socket: Socket): Promise<Buffer[]> {
  const random = randomFrom(SEED + 1);
  const chunks: Buffer[] = [];
  for (;;) {
    const chunk = await socket.recv(SIZES[Math.floor(random() * SIZES.length)] as number);
    if (chunk.length === 0) return chunks;
    chunks.push(chunk);
  }
}

async function receiveInto(socket: Socket): Promise<Buffer[]> {
  const chunks: Buffer[] = [];
  const buffer = Buffer.alloc(100_000);
  for (;;) {
    const bytes = await socket.recvInto(buffer);
    if (bytes === 0) return chunks;
    chunks.push(Buffer.from(buffer.subarray(0, bytes)));
    buffer.fill(0);
  }
}

for (const receive of [iterate, receiveEach, receiveInto]) {
  test(`messages of all sizes arrive whole, and stay so: ${receive.name}`, async () => {
    using pair = await tcpPair();
    const [sent, chunks] = await Promise.all([sendMessages(pair.client), receive(pair.server)]);
    // Only now, since memory that is used again would show in a chunk of before.
    let received = 0;
    for (const chunk of chunks) {
      checkAt(chunk, received);
      received += chunk.length;
    }
    assert.equal(received, sent);
  });
}

test('a chunk keeps at most twice its bytes of memory alive', async () => {
  using pair = await tcpPair();
  const [, chunks] = await Promise.all([sendMessages(pair.client), iterate(pair.server)]);
  for (const { length, buffer } of chunks) {
    // Below half of Node's pool a Buffer is a part of that.
    assert.ok(length < Buffer.poolSize / 2 || buffer.byteLength <= 2 * length, `${length} bytes`);
  }
});

test('messages of SOCK_SEQPACKET are not cut to the size of the one before', async () => {
  using pair = unixPair(SOCK_SEQPACKET);
  const sizes = [10_000, 20_000, 9000, 60_000, 64, 60_000];
  const loop = iterate(pair.server as Socket);
  for (const size of sizes) await pair.client.send(Buffer.alloc(size));
  pair.client.close();
  assert.deepEqual(
    (await loop).map(({ length }) => length),
    sizes,
  );
});
