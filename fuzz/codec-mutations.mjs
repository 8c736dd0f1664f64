// Feeds damaged streams to every decoder, and damaged datagrams to the sequenced ones; anything but
// a ProtocolError ends the run: node fuzz/codec-mutations.mjs [EXECUTIONS = 1000000] [SEED] [datagrams]
import { checkDatagrams } from '../packages/net/dist/codec/datagram-fuzz.test.util.js';
import { checkMutations } from '../packages/net/dist/codec/mutations.test.util.js';

// Most streams end in an error, and taking its stack trace was 40 % of the time.
Error.stackTraceLimit = 0;
const executions = Number(process.argv[2] ?? 1_000_000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const check = process.argv[4] === 'datagrams' ? checkDatagrams : checkMutations;
const before = process.memoryUsage.rss();
const started = performance.now();
const counts = check({ executions, seed });
const seconds = (performance.now() - started) / 1000;
const rssGrowthMiB = Math.round((process.memoryUsage.rss() - before) / 2 ** 20);
process.stdout.write(`${JSON.stringify({ seed, ...counts, seconds, rssGrowthMiB })}\n`);
