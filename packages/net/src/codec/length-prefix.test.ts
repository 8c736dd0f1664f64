import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOutcome, checkCuts, decodeCut, failure, joined } from './check-codec.test.util.ts';
import { lengthPrefix, type LengthPrefixOptions } from './length-prefix.ts';
import { wrongArgument } from './wrong-argument.test.util.ts';

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

const prefixes: [options: LengthPrefixOptions, bodyBytes: number, prefix: string][] = [
  [{}, 5, '00000005'],
  [{ bytes: 1 }, 255, 'ff'],
  [{ bytes: 1, includesPrefix: true }, 254, 'ff'],
  [{ bytes: 2, endian: 'big' }, 258, '0102'],
  [{ bytes: 2, endian: 'little' }, 258, '0201'],
  [{ bytes: 2, endian: 'little', includesPrefix: true }, 256, '0201'],
  [{ bytes: 4, endian: 'big' }, 66_051, '00010203'],
  [{ bytes: 4, endian: 'little' }, 66_051, '03020100'],
  [{ bytes: 8, endian: 'big' }, 66_051, '0000000000010203'],
  [{ bytes: 8, endian: 'little', includesPrefix: true }, 66_043, '0302010000000000'],
  [{ bytes: 'varint' }, 0, '00'],
  [{ bytes: 'varint' }, 127, '7f'],
  [{ bytes: 'varint' }, 128, '8001'],
  // 300 is the example of Protocol Buffers' documentation of the encoding.
  [{ bytes: 'varint' }, 300, 'ac02'],
  [{ bytes: 'varint', includesPrefix: true }, 126, '7f'],
  [{ bytes: 'varint', includesPrefix: true }, 127, '8101'],
  [{ bytes: 'varint', includesPrefix: true }, 16_381, 'ff7f'],
  [{ bytes: 'varint', includesPrefix: true }, 16_382, '818001'],
];

for (const [options, bodyBytes, prefix] of prefixes) {
  test(`lengthPrefix(${JSON.stringify(options)}) writes ${prefix} before ${bodyBytes} bytes and reads it`, () => {
    const codec = lengthPrefix(options);
    const message = Buffer.alloc(bodyBytes, 'm');
    const frame = joined(codec.encode(message));
    assert.equal(frame.subarray(0, frame.length - bodyBytes).toString('hex'), prefix);
    const outcome = decodeCut(
      codec.decoder(),
      Buffer.concat([frame, frame]),
      [1, 3, 9].filter((at) => at <= frame.length),
    );
    assert.deepEqual(outcome, asOutcome([message, message]));
  });
}

const bad: [name: string, options: LengthPrefixOptions, stream: string, error: string][] = [
  [
    'a length above maxFrameBytes',
    { bytes: 2, maxFrameBytes: 3 },
    '0001 61 0004',
    'ERR_FRAME_TOO_LARGE: Cannot decode frame: length 4 exceeds maxFrameBytes 3',
  ],
  [
    'all ones in 8 bytes',
    { bytes: 8 },
    'ffffffffffffffff',
    'ERR_FRAME_TOO_LARGE: Cannot decode frame: length 18446744073709552000 exceeds maxFrameBytes 1048576',
  ],
  [
    'a length less than its prefix',
    { bytes: 4, includesPrefix: true },
    '00000003',
    'ERR_FRAME_MALFORMED: Cannot decode frame: length 3 is less than the 4 bytes of its prefix',
  ],
  [
    'a varint with a zero group on top',
    { bytes: 'varint' },
    '8000',
    'ERR_FRAME_MALFORMED: Cannot decode frame: a varint length is not in its shortest form',
  ],
  [
    'a varint of 10 bytes that goes on',
    { bytes: 'varint' },
    'ff'.repeat(10),
    'ERR_FRAME_MALFORMED: Cannot decode frame: a varint length is longer than 10 bytes',
  ],
  [
    'a varint of 64 ones',
    { bytes: 'varint' },
    `${'ff'.repeat(9)}01`,
    'ERR_FRAME_TOO_LARGE: Cannot decode frame: length 18446744073709552000 exceeds maxFrameBytes 1048576',
  ],
  [
    'an end inside a prefix',
    { bytes: 4 },
    '000000',
    'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended 3 bytes into a header',
  ],
  [
    'an end inside a message',
    { bytes: 1 },
    '03 6161',
    'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended after 3 of 4 bytes',
  ],
];

for (const [name, options, stream, error] of bad) {
  test(`lengthPrefix() refuses ${name} after the messages before it`, () => {
    const messages = name === 'a length above maxFrameBytes' ? ['a'] : [];
    checkCuts(lengthPrefix(options), hex(stream), { messages, error });
  });
}

test('lengthPrefix() refuses 1 MiB and a byte by default, and takes 1 MiB', () => {
  const codec = lengthPrefix();
  assert.equal([...codec.decoder().push(hex('00100000'))].length, 0);
  assert.match(
    failure(() => codec.decoder().push(hex('00100001'))),
    /1048577 exceeds maxFrameBytes 1048576$/,
  );
});

test('lengthPrefix().encode() refuses a message above maxFrameBytes or above its prefix', () => {
  const long = Buffer.alloc(256);
  assert.equal(
    failure(() => lengthPrefix({ maxFrameBytes: 255 }).encode(long)),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 256 exceeds maxFrameBytes 255',
  );
  assert.equal(
    failure(() => lengthPrefix({ bytes: 1 }).encode(long)),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 256 exceeds the largest prefix 255',
  );
  assert.equal(
    failure(() => lengthPrefix({ bytes: 1, includesPrefix: true }).encode(long.subarray(1))),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 256 exceeds the largest prefix 255',
  );
});

test('lengthPrefix().encode() returns one buffer up to 1,024 bytes and the message itself above', () => {
  const codec = lengthPrefix();
  const small = Buffer.alloc(1024, 1);
  assert.deepEqual(codec.encode(small), Buffer.concat([hex('00000400'), small]));
  const large = Buffer.alloc(1025, 1);
  const pieces = codec.encode(large);
  assert.ok(Array.isArray(pieces));
  assert.deepEqual(pieces[0], hex('00000401'));
  assert.equal(pieces[1], large);
});

test('lengthPrefix() messages in one chunk are views of it, and copies with copy', () => {
  const chunk = Buffer.from('\x02ab\x02cd');
  const [view] = lengthPrefix({ bytes: 1 }).decoder().push(chunk);
  const [copy] = lengthPrefix({ bytes: 1, copy: true }).decoder().push(chunk);
  chunk.fill('!');
  assert.equal(String(view), '!!');
  assert.equal(String(copy), 'ab');
});

test('lengthPrefix() messages are Buffers on the memory of the chunk', () => {
  const memory = new ArrayBuffer(32);
  const chunk = Buffer.from(memory, 5, 6);
  chunk.set(Buffer.from('\x02ab\x02cd'));
  for (const message of lengthPrefix({ bytes: 1 }).decoder().push(chunk)) {
    assert.ok(Buffer.isBuffer(message));
    assert.equal(message.constructor, Buffer);
    assert.equal(message.buffer, memory);
    assert.equal(message.readUInt8(1) - message.readUInt8(0), 1);
  }
});

test('lengthPrefix() takes a Uint8Array that is no Buffer, and gives Buffers', () => {
  const [message] = lengthPrefix({ bytes: 1 })
    .decoder()
    .push(Uint8Array.of(9, 1, 65).subarray(1));
  assert.ok(Buffer.isBuffer(message));
  assert.equal(String(message), 'A');
});

const wrong = (options: unknown) => () => lengthPrefix(wrongArgument(options));

test('lengthPrefix() refuses wrong arguments by name', () => {
  assert.throws(wrong({ bytes: 3 }), { name: 'RangeError', message: /bytes 3/ });
  assert.throws(wrong({ bytes: 'toString' }), { name: 'RangeError', message: /bytes toString/ });
  assert.throws(wrong({ endian: 'middle' }), { name: 'RangeError', message: /endian middle/ });
  assert.throws(wrong({ maxFrameBytes: -1 }), { name: 'RangeError', message: /maxFrameBytes -1/ });
  assert.throws(wrong({ maxFrameBytes: Infinity }), { name: 'RangeError' });
  assert.throws(wrong({ maxFrameBytes: '9' }), {
    name: 'TypeError',
    message: /maxFrameBytes is a string/,
  });
  assert.throws(() => lengthPrefix().encode(wrongArgument('text')), { name: 'TypeError' });
  assert.throws(() => lengthPrefix().decoder().push(wrongArgument('text')), { name: 'TypeError' });
});

for (const [options] of prefixes) {
  test(`lengthPrefix(${JSON.stringify(options)}).encodeInto() writes what encode() gives, or nothing`, () => {
    const codec = lengthPrefix(options);
    for (const length of [0, 1, 127, 128, 250]) {
      const message = Buffer.alloc(length, 'm');
      const frame = joined(codec.encode(message));
      const target = Buffer.alloc(frame.length + 7, 0xee);
      assert.equal(codec.encodeInto?.(message, target, 3), frame.length);
      assert.deepEqual(target.subarray(3, 3 + frame.length), frame);
      assert.deepEqual(target.subarray(3 + frame.length), Buffer.alloc(4, 0xee));
      assert.deepEqual(target.subarray(0, 3), Buffer.alloc(3, 0xee));
      assert.equal(codec.encodeInto?.(message, target.subarray(0, frame.length + 2), 3), 0);
    }
  });
}

test('lengthPrefix().encodeInto() throws as encode() does', () => {
  const target = Buffer.alloc(1000);
  assert.equal(
    failure(() => lengthPrefix({ bytes: 1 }).encodeInto?.(Buffer.alloc(256), target, 0)),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 256 exceeds the largest prefix 255',
  );
  assert.throws(() => lengthPrefix().encodeInto?.(wrongArgument('text'), target, 0), {
    name: 'TypeError',
  });
});
