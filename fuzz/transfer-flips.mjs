// Flips bits of a transfer on the wire, below TLS or (insecure) the frames, in either direction, and
// checks that no file is wrong, that what was acknowledged is there and that the next run completes:
// node fuzz/transfer-flips.mjs [ROUNDS = 1000] [SEED]
import { runFlips } from '../packages/net/dist/transfer/flip-runs.test.util.js';

const rounds = Number(process.argv[2] ?? 1000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const started = performance.now();
const report = await runFlips({ rounds, seed });
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seed, ...report, seconds })}\n`);
process.exitCode = report.failures.length === 0 ? 0 : 1;
