import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asOutcome, checkCuts, encodeAll, failure } from './check-codec.test.util.ts';
import type { Codec } from './codec.ts';
import { FrameDecoder } from './frame-decoder.ts';
import { headed } from './headed.ts';
import { lengthPrefix } from './length-prefix.ts';
import { lines } from './lines.ts';
import { mapped } from './mapped.ts';
import { FrameMalformedError, FrameTruncatedError } from './protocol-error.ts';

interface Record16 {
  type: number;
  value: string;
}

// A codec of one's own, first way: a header that tells the length. 14 lines.
const typeLengthValue = headed<Record16>({
  headerBytes: 3,
  maxFrameBytes: 100,
  bodyBytes(header) {
    if (header.readUInt8() === 0) throw new Error('type 0 is reserved');
    return header.readUInt16BE(1);
  },
  decode: (frame) => ({ type: frame.readUInt8(), value: frame.toString('utf8', 3) }),
  encode({ type, value }) {
    const frame = Buffer.from(`...${value}`);
    frame.writeUInt8(type);
    frame.writeUInt16BE(frame.length - 3, 1);
    return frame;
  },
});

// Second way: other messages over a framing that exists. 6 lines.
const dates = mapped(lines(), {
  encode: (date: Date) => date.toISOString(),
  decode: (line) => {
    if (line === '') return undefined;
    return new Date(Date.parse(new Date(line).toISOString()));
  },
});

// Third way: from scratch. Runs of bytes, each a count and a byte. 18 lines.
class RunDecoder extends FrameDecoder<string> {
  #count = 0;
  get pendingBytes() {
    return this.#count === 0 ? 0 : 1;
  }
  protected override decode(chunk: Buffer, messages: string[]) {
    for (const byte of chunk) {
      if (this.#count > 0) messages.push(String.fromCharCode(byte).repeat(this.#count));
      else if (byte === 0) throw new FrameMalformedError('decode', 'a run of 0 bytes');
      this.#count = this.#count > 0 ? 0 : byte;
    }
  }
  protected override finish() {
    if (this.#count > 0) throw new FrameTruncatedError('decode', 'the stream ended inside a run');
  }
}
const runs: Codec<string> = {
  encode: (text) => Buffer.from([text.length, text.charCodeAt(0)]),
  decoder: () => new RunDecoder(),
};

test('headed() makes a codec that passes every check of the built-in ones', () => {
  const messages = [
    { type: 1, value: 'é' },
    { type: 255, value: '' },
  ];
  const stream = encodeAll(typeLengthValue, messages);
  checkCuts(typeLengthValue, stream, { messages });
  const refused = 'ERR_FRAME_MALFORMED: Cannot decode frame: a header is no header of this format';
  checkCuts(typeLengthValue, Buffer.concat([stream, Buffer.alloc(3)]), {
    messages,
    error: refused,
  });
  const large = 'ERR_FRAME_TOO_LARGE: Cannot decode frame: length 101 exceeds maxFrameBytes 100';
  checkCuts(typeLengthValue, Buffer.concat([stream, Buffer.from([1, 0, 101])]), {
    messages,
    error: large,
  });
  assert.equal(
    failure(() => typeLengthValue.encode({ type: 1, value: 'x'.repeat(101) })),
    'ERR_FRAME_TOO_LARGE: Cannot encode frame: length 101 exceeds maxFrameBytes 100',
  );
});

test('headed().encode() refuses a frame shorter than its header', () => {
  const codec = headed({
    headerBytes: 3,
    bodyBytes: () => 0,
    decode: String,
    encode: (text: string) => Buffer.from(text),
  });
  assert.equal(
    failure(() => codec.encode('ab')),
    'ERR_FRAME_MALFORMED: Cannot encode frame: length 2 is less than headerBytes 3',
  );
});

test('headed() refuses a bodyBytes() that returns no length', () => {
  for (const bytes of [-1, 0.5, Number.NaN, Infinity]) {
    const codec = headed({
      headerBytes: 1,
      bodyBytes: () => bytes,
      decode: String,
      encode: (text: string) => Buffer.from(text),
    });
    checkCuts(codec, Buffer.from('a'), {
      messages: [],
      error: `ERR_FRAME_MALFORMED: Cannot decode frame: bodyBytes ${bytes} is no length`,
    });
  }
});

test('mapped() delivers what decode() returns, nothing for undefined, and wraps what it throws', () => {
  const date = new Date(0);
  const stream = encodeAll(dates, [date, date]);
  checkCuts(dates, Buffer.concat([Buffer.from('\n'), stream]), asOutcome([date, date]));
  const error = 'ERR_FRAME_MALFORMED: Cannot decode frame: a message is none of this format';
  checkCuts(dates, Buffer.concat([stream, Buffer.from('soon\n')]), {
    messages: [date, date],
    error,
  });
  assert.throws(
    () => dates.decoder().push(Buffer.from('soon\n')),
    (thrown) => thrown instanceof FrameMalformedError && thrown.cause instanceof RangeError,
  );
});

test('mapped() passes on the messages before an error of the codec beneath, and the error itself', () => {
  const codec = mapped(lengthPrefix({ bytes: 1, maxFrameBytes: 9 }), {
    encode: (text: string) => Buffer.from(text),
    decode: String,
  });
  const error = 'ERR_FRAME_TOO_LARGE: Cannot decode frame: length 10 exceeds maxFrameBytes 9';
  checkCuts(codec, Buffer.from('\x01a\x0a'), { messages: ['a'], error });
});

test('mapped() takes a decoder of only two methods, whose end() returns nothing', () => {
  const letters: Codec<string> = {
    encode: (text) => Buffer.from(text),
    decoder: () => ({ push: (chunk) => (chunk.length > 0 ? [String(chunk)] : []), end() {} }),
  };
  const decoder = mapped(letters, {
    encode: String,
    decode: (text) => text.toUpperCase(),
  }).decoder();
  assert.deepEqual([...decoder.push(Buffer.from('a'))], ['A']);
  assert.deepEqual([...(decoder.end() ?? [])], []);
  assert.equal(decoder.pendingBytes, 0);
});

test('a class that extends FrameDecoder gets the order of messages and errors right', () => {
  const stream = encodeAll(runs, ['aaa', 'b']);
  checkCuts(runs, stream, { messages: ['aaa', 'b'] });
  const malformed = 'ERR_FRAME_MALFORMED: Cannot decode frame: a run of 0 bytes';
  checkCuts(runs, Buffer.concat([stream, Buffer.from([0])]), {
    messages: ['aaa', 'b'],
    error: malformed,
  });
  const truncated = 'ERR_FRAME_TRUNCATED: Cannot decode frame: the stream ended inside a run';
  checkCuts(runs, Buffer.concat([stream, Buffer.from([9])]), {
    messages: ['aaa', 'b'],
    error: truncated,
  });
});
