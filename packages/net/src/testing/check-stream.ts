import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { type Duplex, PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** What `checkStream` may expect of a stream. */
export interface CheckedStream {
  /** Two ends of one connection, new ones each time. */
  connect(): Promise<[Duplex, Duplex]>;
  /** false where the end of one direction ends the other, as TLS below 1.3 does. Default true. */
  readonly halfClose?: boolean;
  /**
   * Bytes that may be on their way to a peer that doesn't read, kernel included; default 32 MiB,
   * which is arbitrary and above what tcp_wmem and tcp_rmem allow by default.
   */
  readonly maxBuffered?: number;
  /** How long one subtest may take before it counts as hanging; default 10,000. */
  readonly deadlineMs?: number;
}

/** What runs the subtests: a TestContext, or what wants to see them fail. */
export interface Subtests {
  test(name: string, body: () => Promise<void>): Promise<unknown>;
}

const MEBIBYTE = 1024 * 1024;

/** Bytes that no two places of have the same neighbourhood, for `seed`. */
function pattern(length: number, seed: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  let state = seed;
  for (let i = 0; i < length; i++) {
    // Numerical Recipes' generator.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[i] = state >>> 24;
  }
  return bytes;
}

async function readAll(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  // Without the option the loop's end destroys both directions.
  const each = stream.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
  for await (const chunk of each) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Not events.once(), which an error would reject. */
function closed(stream: Duplex): Promise<void> {
  if (stream.closed) return Promise.resolve();
  return new Promise((resolve) => stream.once('close', () => resolve()));
}

/** Lets everything that is ready happen, until `progress` stays the same for 50 turns. */
async function quiet(progress: () => number): Promise<void> {
  let last = progress();
  for (let same = 0; same < 50; same++) {
    await new Promise((resolve) => setImmediate(resolve));
    if (progress() === last) continue;
    last = progress();
    same = 0;
  }
}

async function within(ms: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing happened within ${ms} ms`)), ms);
  });
  try {
    await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Checks what everything called a stream has to do, each in a subtest of `t`: data arrives intact
 * both ways at once, backpressure is bounded both ways, an end arrives as one, half a connection
 * works, `destroy` in the middle ends the other side and calls every callback, errors arrive.
 */
export async function checkStream(t: Subtests, checked: CheckedStream): Promise<void> {
  const { halfClose = true, maxBuffered = 32 * MEBIBYTE, deadlineMs = 10_000 } = checked;
  const run = (name: string, body: (left: Duplex, right: Duplex) => Promise<void>) =>
    t.test(name, async () => {
      const [left, right] = await checked.connect();
      try {
        await within(deadlineMs, body(left, right));
      } finally {
        left.on('error', () => undefined).destroy();
        right.on('error', () => undefined).destroy();
        await within(deadlineMs, Promise.all([closed(left), closed(right)]));
      }
    });
  await run('data arrives intact, both ways at once', intact);
  await run('data arrives intact in pieces of every size', pieces);
  await run('writes are held back while the peer does not read', (left, right) =>
    heldBack(left, right, maxBuffered),
  );
  await run('an end arrives as an end, once, after the data', end);
  if (halfClose) await run('a side that has ended still receives', halfOpen);
  await run('destroy() in the middle ends the peer and fails the writes that wait', destroyed);
  await run('destroy(error) emits that error and closes', failed);
  await run('pipeline() rejects when the source fails, and closes', broken);
}

async function intact(left: Duplex, right: Duplex): Promise<void> {
  const there = pattern(3 * MEBIBYTE + 17, 1);
  const back = pattern(2 * MEBIBYTE + 5, 2);
  const [received, returned] = await Promise.all([
    readAll(right),
    readAll(left),
    pipeline(Readable.from(slices(there, 100_000)), left, { end: true }),
    pipeline(Readable.from(slices(back, 3000)), right, { end: true }),
  ]);
  assert.equal(digest(received), digest(there));
  assert.equal(digest(returned), digest(back));
}

const digest = (bytes: Buffer): string =>
  `${bytes.length} ${createHash('sha256').update(bytes).digest('hex')}`;

function* slices(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function pieces(left: Duplex, right: Duplex): Promise<void> {
  const sizes = [1, 2, 3, 100, 1500, 16_383, 16_384, 65_535, 65_536, 65_537, 200_000, 1];
  const parts = sizes.map((size, i) => pattern(size, i));
  for (const part of parts) left.write(part);
  left.end();
  assert.equal(digest(await readAll(right)), digest(Buffer.concat(parts)));
  right.end();
}

async function heldBack(left: Duplex, right: Duplex, maxBuffered: number): Promise<void> {
  const chunk = pattern(64 * 1024, 3);
  let taken = 0;
  const stop = new AbortController();
  const writing = (async () => {
    while (!stop.signal.aborted && taken <= 2 * maxBuffered) {
      await new Promise<void>((resolve, reject) => {
        left.write(chunk, (error) => (error ? reject(error) : resolve()));
      });
      taken += chunk.length;
    }
    left.end();
  })();
  // Starts the flow into the readable side's buffer, and takes nothing out.
  right.read(0);
  await quiet(() => taken);
  assert.ok(taken <= maxBuffered, `${taken} bytes were taken from a writer that nobody reads`);
  assert.ok(right.readableLength <= right.readableHighWaterMark + MEBIBYTE);
  assert.ok(left.writableLength <= left.writableHighWaterMark + chunk.length);
  stop.abort();
  const received = await readAll(right);
  await writing;
  assert.equal(received.length, taken);
  right.end();
}

async function end(left: Duplex, right: Duplex): Promise<void> {
  let ends = 0;
  right.on('end', () => ends++);
  left.resume();
  left.end(Buffer.from('last words'));
  assert.equal((await readAll(right)).toString(), 'last words');
  right.end();
  await Promise.all([closed(left), closed(right)]);
  assert.equal(ends, 1);
}

async function halfOpen(left: Duplex, right: Duplex): Promise<void> {
  left.end(Buffer.from('question'));
  assert.equal((await readAll(right)).toString(), 'question');
  assert.equal(right.writable, true);
  right.write(Buffer.from('ans'));
  right.end(Buffer.from('wer'));
  assert.equal((await readAll(left)).toString(), 'answer');
}

async function destroyed(left: Duplex, right: Duplex): Promise<void> {
  // The peer may see an end or a reset, according to what was under way.
  right.on('error', () => undefined);
  left.on('error', () => undefined);
  left.write(Buffer.from('begun'));
  await once(right, 'readable');
  const outcomes: (Error | null | undefined)[] = [];
  const chunk = Buffer.alloc(MEBIBYTE);
  for (let i = 0; i < 40; i++) left.write(chunk, (error) => outcomes.push(error));
  left.destroy();
  await closed(left);
  right.resume();
  right.end();
  await closed(right);
  assert.equal(outcomes.length, 40);
  assert.ok(outcomes.at(-1) instanceof Error);
}

async function failed(left: Duplex, right: Duplex): Promise<void> {
  right.on('error', () => undefined);
  const error = new Error('planted');
  const seen = once(left, 'error');
  left.destroy(error);
  assert.equal((await seen)[0], error);
  await closed(left);
  right.resume();
  right.end();
  await closed(right);
}

async function broken(left: Duplex, right: Duplex): Promise<void> {
  right.on('error', () => undefined).resume();
  // A Duplex.fromWeb emits it only after pipeline() has stopped to listen.
  left.on('error', () => undefined);
  const source = new PassThrough();
  const piping = pipeline(source, left);
  source.write('some');
  source.destroy(new Error('planted in the source'));
  await assert.rejects(piping, /planted in the source/);
  await closed(left);
  right.end();
  await closed(right);
}
