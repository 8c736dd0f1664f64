import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { asOutcome, checkCuts, decodeCut, encodeAll, everyByte } from './check-codec.test.util.ts';
import { samples, xorshift } from './codec-samples.test.util.ts';
import { checkDatagrams } from './datagram-fuzz.test.util.ts';
import { checkMutations } from './mutations.test.util.ts';
import { checkSplits } from './split-invariance.test.util.ts';

for (const { name, codec, message } of samples) {
  test(`${name}: push() gives the same messages wherever the stream is cut`, () => {
    const random = xorshift(7);
    const messages = Array.from({ length: 12 }, () => message(random));
    checkCuts(codec, encodeAll(codec, messages), asOutcome(messages));
  });

  test(`${name}: push() gives the same messages under random cuts, as a property`, () => {
    const streams = fc.record({
      seed: fc.integer({ min: 1, max: 2 ** 31 }),
      count: fc.integer({ min: 0, max: 20 }),
      cuts: fc.array(fc.nat(), { maxLength: 40 }),
    });
    fc.assert(
      fc.property(streams, ({ seed, count, cuts }) => {
        const random = xorshift(seed);
        const messages = Array.from({ length: count }, () => message(random));
        const stream = encodeAll(codec, messages);
        const sorted = cuts.map((cut) => cut % (stream.length + 1)).toSorted((a, b) => a - b);
        assert.deepEqual(decodeCut(codec.decoder(), stream, sorted), asOutcome(messages));
      }),
      { numRuns: 100 },
    );
  });

  test(`${name}: any bytes give the same messages and the same error wherever they are cut`, () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), fc.array(fc.nat(60)), (bytes, cuts) => {
        const stream = Buffer.from(bytes);
        const sorted = cuts.filter((cut) => cut <= stream.length).toSorted((a, b) => a - b);
        const whole = decodeCut(codec.decoder(), stream, []);
        assert.deepEqual(decodeCut(codec.decoder(), stream, sorted), whole);
        assert.deepEqual(decodeCut(codec.decoder(), stream, everyByte(stream)), whole);
      }),
      { numRuns: 200 },
    );
  });
}

test('a thousand random splits of every codec give the same messages', () => {
  assert.ok(checkSplits({ cases: 1000 * samples.length, seed: 1 }).cases >= 1000 * samples.length);
});

test('mutated streams make decoders throw ProtocolErrors only and hold no more than their limit', () => {
  const { executions, errors } = checkMutations({ executions: 200 * samples.length, seed: 1 });
  assert.ok(executions >= 200 * samples.length);
  assert.ok(errors > executions / 20, `${errors} of ${executions} streams were refused`);
});

test('random datagrams make the sequenced packets throw ProtocolErrors only, and stay in their windows', () => {
  const { errors, delivered } = checkDatagrams({ executions: 20_000, seed: 1 });
  assert.ok(errors > 1000 && delivered > 1000, `${errors} refused, ${delivered} delivered`);
});
