import type { Codec } from './codec.ts';
import { delimiter } from './delimiter.ts';
import { fixedSize } from './fixed-size.ts';
import { headed } from './headed.ts';
import { jsonLines } from './json-lines.ts';
import { lengthPrefix } from './length-prefix.ts';
import type { LineEncoding } from './line-text.ts';
import { lines } from './lines.ts';
import { mapped } from './mapped.ts';
import { netstring } from './netstring.ts';

/** Gives integers from 0 to below `limit`. */
export type Random = (limit: number) => number;

/** A codec together with random messages that it can carry. */
export interface Sample {
  readonly name: string;
  readonly codec: Codec<unknown>;
  readonly message: (random: Random) => unknown;
}

/** Small, so that limits are met and most bytes stand near a frame's edge. */
export const SAMPLE_MAX_FRAME_BYTES = 200;
const maxFrameBytes = SAMPLE_MAX_FRAME_BYTES;

/** The integers of xorshift32 (Marsaglia, 2003): reproducible from the seed, and fast. */
export function xorshift(seed: number): Random {
  let state = seed | 1;
  return (limit) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % limit;
  };
}

/** One sample for each codec and each of its forms. */
export const samples: readonly Sample[] = [
  ...([1, 2, 4, 8] as const).flatMap((bytes) =>
    (['big', 'little'] as const).flatMap((endian) =>
      [false, true].map((includesPrefix) =>
        bytesSample(
          `lengthPrefix ${bytes} ${endian}${includesPrefix ? ' includesPrefix' : ''}`,
          lengthPrefix({ bytes, endian, includesPrefix, maxFrameBytes }),
        ),
      ),
    ),
  ),
  bytesSample('lengthPrefix varint', lengthPrefix({ bytes: 'varint', maxFrameBytes })),
  bytesSample(
    'lengthPrefix varint includesPrefix',
    lengthPrefix({ bytes: 'varint', includesPrefix: true, maxFrameBytes }),
  ),
  bytesSample('lengthPrefix copy', lengthPrefix({ bytes: 2, copy: true, maxFrameBytes })),
  bytesSample('netstring', netstring({ maxFrameBytes })),
  delimiterSample('\n'),
  delimiterSample('\r\n'),
  delimiterSample('abab'),
  delimiterSample('aab'),
  sample('fixedSize', fixedSize({ size: 5 }), (random) => randomBytes(random, 5)),
  ...(['utf8', 'utf16le', 'latin1', 'ascii'] as const).flatMap((encoding) =>
    (['any', '\n', '\r\n'] as const).map((newline) =>
      sample(
        `lines ${encoding} ${JSON.stringify(newline)}`,
        lines({ encoding, newline, maxFrameBytes }),
        (random) => randomLine(random, encoding),
      ),
    ),
  ),
  sample('jsonLines', jsonLines({ maxFrameBytes }), randomJson),
  sample(
    'mapped',
    mapped(lengthPrefix({ bytes: 1, maxFrameBytes }), {
      encode: (text: string) => Buffer.from(text, 'utf8'),
      decode: (bytes) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes),
    }),
    (random) => randomLine(random, 'utf8'),
  ),
  sample(
    'headed',
    headed<{ type: number; value: string }>({
      headerBytes: 3,
      maxFrameBytes,
      bodyBytes: (header) => header.readUInt16BE(1),
      decode: (frame) => ({ type: frame.readUInt8(), value: frame.toString('latin1', 3) }),
      encode({ type, value }) {
        const header = Buffer.from([type, 0, 0]);
        header.writeUInt16BE(value.length, 1);
        return [header, Buffer.from(value, 'latin1')];
      },
    }),
    (random) => ({
      type: random(256),
      value: randomBytes(random, random(40)).toString('latin1'),
    }),
  ),
];

function sample<Message, Sent>(
  name: string,
  codec: Codec<Message, Sent>,
  message: (random: Random) => Sent,
): Sample {
  return { name, codec, message };
}

function bytesSample(name: string, codec: Codec<Buffer, Uint8Array>): Sample {
  return sample(name, codec, (random) => randomBytes(random, randomSize(random)));
}

function delimiterSample(mark: string): Sample {
  const codec = delimiter(mark, { maxFrameBytes });
  return sample(`delimiter ${JSON.stringify(mark)}`, codec, (random) => {
    // Of few letters, so that almost-delimiters abound; what can't be sent is thrown away.
    for (;;) {
      const size = randomSize(random);
      const text = Array.from({ length: size }, () => 'ab\r\nc'[random(5)]).join('');
      const message = Buffer.from(`${text}c`.slice(0, maxFrameBytes).replaceAll(mark, ''));
      try {
        codec.encode(message);
        return message;
      } catch {
        continue;
      }
    }
  });
}

/** Mostly small, at times at the limit. */
function randomSize(random: Random): number {
  return random(20) === 0 ? maxFrameBytes - random(2) : random(12);
}

function randomBytes(random: Random, size: number): Buffer {
  return Buffer.from(Uint8Array.from({ length: size }, () => random(256)));
}

const alphabets: Record<LineEncoding, readonly string[]> = {
  utf8: ['a', '\r', 'é', '中', '😀', '\ufeff', '\ufffd', '\0'],
  'utf-8': [],
  // U+0A0D, U+0D0A, U+0A00 and U+000D have the bytes of newlines in the wrong places.
  utf16le: ['a', '\u0a0d', '\u0d0a', '\u0a00', '\u000d', '\u0a0a', '😀'],
  latin1: ['a', '\r', 'é', '\u00ff'],
  ascii: ['a', '\r', '~', '\0'],
};

function randomLine(random: Random, encoding: LineEncoding): string {
  const alphabet = alphabets[encoding];
  const text = Array.from({ length: random(12) }, () => alphabet[random(alphabet.length)]).join('');
  return text.replace(/\r+$/, '');
}

function randomJson(random: Random): unknown {
  const values = [null, true, random(1000), 'é\n😀', [], {}, [1, { a: [] }], { b: '\u2028' }];
  return values[random(values.length)];
}
