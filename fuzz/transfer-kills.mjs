// Kills the sender or the receiver of a transfer (SIGKILL) at random moments, checks that every
// acknowledged file is there, that no final name is torn and that the next run completes:
// node fuzz/transfer-kills.mjs [ROUNDS = 200] [SEED]
import { runKills } from '../packages/net/dist/transfer/kill-runs.test.util.js';

const rounds = Number(process.argv[2] ?? 200);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const started = performance.now();
const report = await runKills({ rounds, seed });
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seed, ...report, seconds })}\n`);
process.exitCode = report.failures.length === 0 ? 0 : 1;
