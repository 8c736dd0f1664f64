import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Codec } from './codec.ts';
import { delimiter } from './delimiter.ts';
import { jsonLines } from './json-lines.ts';
import { lengthPrefix } from './length-prefix.ts';
import { lines } from './lines.ts';
import { netstring } from './netstring.ts';
import { FrameTooLargeError, ProtocolError } from './protocol-error.ts';

test('push() delivers the messages before a bad frame, then throws from the iteration', () => {
  const decoder = lengthPrefix({ bytes: 1, maxFrameBytes: 5 }).decoder();
  const seen: string[] = [];
  assert.throws(() => {
    for (const message of decoder.push(Buffer.from('\x01a\x01b\x06'))) seen.push(String(message));
  }, FrameTooLargeError);
  assert.deepEqual(seen, ['a', 'b']);
});

test('push() itself throws when no message precedes the bad frame', () => {
  assert.throws(() => netstring().decoder().push(Buffer.from('x')), ProtocolError);
});

test('push() and end() throw the very same error for ever after it', () => {
  const decoder = netstring().decoder();
  const thrown: unknown[] = [];
  for (const run of [
    () => decoder.push(Buffer.from('x')),
    () => decoder.push(Buffer.from('1:a,')),
    () => decoder.end(),
  ]) {
    try {
      run();
    } catch (error) {
      thrown.push(error);
    }
  }
  assert.equal(thrown.length, 3);
  assert.equal(new Set(thrown).size, 1);
});

test('push() reads the whole chunk even if its messages are not looked at', () => {
  const decoder = lines().decoder();
  decoder.push(Buffer.from('a\nb\nc'));
  assert.deepEqual([...decoder.push(Buffer.from('d\n'))], ['cd']);
});

test('push() after end() is an argument error, end() twice is none', () => {
  const decoder = lines().decoder();
  decoder.push(Buffer.from('a'));
  assert.deepEqual([...(decoder.end() ?? [])], ['a']);
  assert.deepEqual([...(decoder.end() ?? [])], []);
  assert.throws(() => decoder.push(Buffer.from('b')), {
    name: 'TypeError',
    message: /^Cannot decode frame: end\(\)/,
  });
});

test('pendingBytes counts the bytes of the unfinished frame', () => {
  const decoder = lengthPrefix({ bytes: 4 }).decoder();
  const seen = [
    Buffer.from([0, 0]),
    Buffer.from([0, 3, 1]),
    Buffer.from([1, 1]),
    Buffer.from([0]),
  ].map((chunk) => {
    decoder.push(chunk);
    return decoder.pendingBytes;
  });
  assert.deepEqual(seen, [2, 5, 0, 1]);
});

test('ProtocolErrors carry code, action and limit', () => {
  const error = new FrameTooLargeError('decode', { name: 'maxFrameBytes', bytes: 65_536 }, 70_000);
  assert.ok(error instanceof ProtocolError && error instanceof Error);
  const { name, code, action, limit, length, message } = error;
  assert.deepEqual(
    { name, code, action, limit, length, message },
    {
      name: 'FrameTooLargeError',
      code: 'ERR_FRAME_TOO_LARGE',
      action: 'decode',
      limit: 65_536,
      length: 70_000,
      message: 'Cannot decode frame: length 70000 exceeds maxFrameBytes 65536',
    },
  );
});

/** Bytes of ArrayBuffers that exist while `run` holds on to what it returns. */
function arrayBufferBytes(run: () => unknown): number {
  const before = process.memoryUsage().arrayBuffers;
  const held = run();
  const after = process.memoryUsage().arrayBuffers;
  assert.notEqual(held, undefined);
  return after - before;
}

test('a decoder that was announced 1 GiB holds no more than what has come', () => {
  const bytes = arrayBufferBytes(() => {
    const codec = lengthPrefix({ maxFrameBytes: 2 ** 31 });
    return Array.from({ length: 100 }, () => {
      const decoder = codec.decoder();
      decoder.push(Buffer.from([0x40, 0, 0, 0, 1]));
      return decoder;
    });
  });
  // A pool slab of Node's is 8 KiB; the announced bytes would be 100 GiB.
  assert.ok(bytes < 1_000_000, `${bytes} bytes`);
});

const MEBIBYTE = 1_048_576;

test('a decoder copies nothing of a chunk that passes its limit', () => {
  const chunk = Buffer.alloc(16 * MEBIBYTE, 'x');
  for (const codec of [lines(), delimiter(';'), jsonLines()]) {
    const decoder = codec.decoder();
    decoder.push(Buffer.from('x'));
    const bytes = arrayBufferBytes(() => {
      assert.throws(() => decoder.push(chunk), FrameTooLargeError);
      return decoder;
    });
    assert.ok(bytes < MEBIBYTE, `${bytes} bytes`);
  }
});

const large: [name: string, stream: () => Iterable<Buffer>, decode: (chunk: Buffer) => number][] =
  [];
for (const [name, codec, message] of [
  ['lengthPrefix', lengthPrefix(), Buffer.alloc(MEBIBYTE, 'a')],
  ['netstring', netstring(), Buffer.alloc(MEBIBYTE, 'a')],
  ['delimiter', delimiter('\r\n'), Buffer.alloc(MEBIBYTE, '\r')],
  ['delimiter of 256 bytes', delimiter(`${'a'.repeat(255)}b`), Buffer.alloc(MEBIBYTE, 'a')],
  ['lines', lines({ maxFrameBytes: MEBIBYTE }), 'a'.repeat(MEBIBYTE)],
  ['jsonLines', jsonLines(), 'a'.repeat(MEBIBYTE - 2)],
] as const) {
  const decoder = codec.decoder();
  large.push([
    name,
    function* () {
      const frame = (codec as Codec<unknown>).encode(message);
      for (const piece of Array.isArray(frame) ? frame : [frame]) {
        for (let at = 0; at < piece.length; at++)
          yield Buffer.from(piece.buffer, piece.byteOffset + at, 1);
      }
    },
    (chunk) => [...decoder.push(chunk)].length,
  ]);
}

for (const [name, stream, decode] of large) {
  // Measured 0.1 to 0.3 s; a decoder that searched or joined from the start at each byte would copy
  // 0.5 TiB, which takes minutes.
  test(`${name} takes 1 MiB byte by byte in linear time`, { timeout: 20_000 }, () => {
    let messages = 0;
    for (const chunk of stream()) messages += decode(chunk);
    assert.equal(messages, 1);
  });
}
