import assert from 'node:assert/strict';
import { asOutcome, decodeCut, encodeAll } from './check-codec.test.util.ts';
import { samples, xorshift } from './codec-samples.test.util.ts';

/** Streams decoded per set of random messages, each cut elsewhere. */
const CUTS_PER_STREAM = 20;

/**
 * Decodes `cases` streams of random messages, each cut at random places, in turn for every codec,
 * and fails unless each gives exactly the messages that were encoded.
 */
export function checkSplits({ cases, seed }: { cases: number; seed: number }) {
  const random = xorshift(seed);
  let done = 0;
  let messagesChecked = 0;
  for (let turn = 0; done < cases; turn++) {
    const { name, codec, message } = samples[turn % samples.length] ?? assert.fail();
    const messages = Array.from({ length: 1 + random(6) }, () => message(random));
    const stream = encodeAll(codec, messages);
    const expected = asOutcome(messages);
    for (let repeat = 0; repeat < CUTS_PER_STREAM; repeat++) {
      const cuts = Array.from({ length: random(8) }, () => random(stream.length + 1)).toSorted(
        (a, b) => a - b,
      );
      const outcome = decodeCut(codec.decoder(), stream, cuts);
      assert.deepEqual(
        outcome,
        expected,
        `${name}, seed ${seed}, case ${done}, cuts ${cuts.join()}`,
      );
      done++;
      messagesChecked += messages.length;
    }
  }
  return { codecs: samples.length, cases: done, messages: messagesChecked };
}
