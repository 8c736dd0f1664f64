import assert from 'node:assert/strict';
import { Duplex, duplexPair } from 'node:stream';
import { test } from 'node:test';
import { checkStream } from './check-stream.ts';

/** The names of the subtests that fail for a connection. */
async function failures(connect: () => [Duplex, Duplex], maxBuffered?: number): Promise<string[]> {
  const failed: string[] = [];
  const subtests = {
    async test(name: string, body: () => Promise<void>): Promise<void> {
      try {
        await body();
      } catch {
        failed.push(name);
      }
    },
  };
  const limits = maxBuffered === undefined ? {} : { maxBuffered };
  const checked = { connect: () => Promise.resolve(connect()), deadlineMs: 500, ...limits };
  await checkStream(subtests, checked);
  return failed;
}

/** Two ends in memory, the first with a fault. */
function faulty(fault: (left: Pipe) => void): () => [Duplex, Duplex] {
  return () => {
    const [left, right] = [new Pipe(), new Pipe()];
    left.peer = right;
    right.peer = left;
    fault(left);
    return [left, right];
  };
}

/** One end of a connection in memory that behaves. */
class Pipe extends Duplex {
  peer: Pipe | undefined;
  /** The peer's write that waits for room here. */
  waiting: ((error?: Error) => void) | undefined;
  change = (chunk: Buffer): Buffer => chunk;
  waits = true;
  ends = true;

  override _read(): void {
    const resume = this.waiting;
    this.waiting = undefined;
    resume?.();
  }

  override _write(chunk: Buffer, _: string, done: (error?: Error) => void): void {
    const peer = this.peer as Pipe;
    if (peer.push(this.change(chunk)) || !this.waits) done();
    else peer.waiting = done;
  }

  override _final(done: () => void): void {
    if (this.ends) this.peer?.push(null);
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    const { peer } = this;
    peer?.waiting?.(new Error('destroyed meanwhile'));
    if (peer !== undefined && !peer.destroyed && !peer.readableEnded) peer.push(null);
    done(error);
  }
}

test('checkStream() notices that destroy() does not reach the peer, as in the pair of node:stream', async () => {
  const failed = await failures(() => duplexPair());
  assert.deepEqual(failed, [
    'destroy() in the middle ends the peer and fails the writes that wait',
    'destroy(error) emits that error and closes',
    'pipeline() rejects when the source fails, and closes',
  ]);
});

test('checkStream() passes for a connection in memory', async () => {
  assert.deepEqual(await failures(faulty(() => undefined)), []);
});

test('checkStream() notices a byte that changes', async () => {
  const failed = await failures(
    faulty((left) => {
      let seen = 0;
      left.change = (chunk) => {
        const copy = Buffer.from(chunk);
        seen += chunk.length;
        if (seen > 100_000) copy[0] = (copy[0] as number) ^ 1;
        return copy;
      };
    }),
  );
  assert.ok(failed.includes('data arrives intact, both ways at once'));
  assert.ok(failed.includes('data arrives intact in pieces of every size'));
});

test('checkStream() notices writes that nothing holds back', async () => {
  const failed = await failures(
    faulty((left) => {
      left.waits = false;
    }),
    1024 * 1024,
  );
  assert.ok(failed.includes('writes are held back while the peer does not read'));
});

test('checkStream() notices an end of one side that ends the other', async () => {
  const failed = await failures(() => {
    const [left, right] = faulty(() => undefined)();
    right.once('end', () => right.end());
    right.allowHalfOpen = false;
    return [left, right];
  });
  assert.ok(failed.includes('a side that has ended still receives'));
});
