import assert from 'node:assert/strict';
import { encodeAll } from './check-codec.test.util.ts';
import {
  type Random,
  SAMPLE_MAX_FRAME_BYTES,
  samples,
  xorshift,
} from './codec-samples.test.util.ts';
import { ProtocolError } from './protocol-error.ts';

/** The most that a decoder may hold of one frame: the longest content and the longest framing. */
const MOST_PENDING = SAMPLE_MAX_FRAME_BYTES + 12;

/** Making a valid stream costs more than decoding it. */
const MUTATIONS_PER_STREAM = 16;

/**
 * Changes random bytes of valid streams and decodes them in random chunks, in turn for every codec:
 * fails on any error but a ProtocolError and on a decoder that holds more than its limit.
 */
export function checkMutations({ executions, seed }: { executions: number; seed: number }) {
  const random = xorshift(seed);
  let errors = 0;
  let messages = 0;
  let streams: Buffer[] = [];
  for (let done = 0; done < executions; done++) {
    if (done % (samples.length * MUTATIONS_PER_STREAM) === 0) streams = randomStreams(random);
    const { name, codec } = samples[done % samples.length] ?? assert.fail();
    const stream = mutate(streams[done % samples.length] ?? assert.fail(), random);
    const decoder = codec.decoder();
    try {
      for (let from = 0; from < stream.length; ) {
        const to = Math.min(stream.length, from + 1 + random(stream.length));
        for (const _ of decoder.push(stream.subarray(from, to))) messages++;
        const pending = decoder.pendingBytes ?? 0;
        assert.ok(pending <= MOST_PENDING, `${name} holds ${pending} bytes, seed ${seed}`);
        from = to;
      }
      for (const _ of decoder.end() ?? []) messages++;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      errors++;
    }
  }
  return { executions, errors, messages };
}

/** A valid stream for every sample. */
function randomStreams(random: Random): Buffer[] {
  return samples.map(({ codec, message }) =>
    encodeAll(
      codec,
      Array.from({ length: 1 + random(4) }, () => message(random)),
    ),
  );
}

/** Bytes that mean something to some codec. */
const TELLING = Buffer.from([
  0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x0d, 0x2c, 0x30, 0x39, 0x3a, 0xd8, 0xfd,
]);

function mutate(stream: Buffer, random: Random): Buffer {
  let bytes = stream;
  for (let count = random(4); count >= 0; count--) {
    const at = random(bytes.length + 1);
    const byte = Buffer.from([
      random(2) === 0 ? random(256) : (TELLING[random(TELLING.length)] ?? 0),
    ]);
    const kind = random(4);
    // Replaced, inserted, deleted, or a piece repeated.
    if (kind === 0) bytes = Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at + 1)]);
    else if (kind === 1) bytes = Buffer.concat([bytes.subarray(0, at), byte, bytes.subarray(at)]);
    else if (kind === 2)
      bytes = Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + random(9))]);
    else bytes = Buffer.concat([bytes, bytes.subarray(at, at + random(300))]);
  }
  return bytes;
}
