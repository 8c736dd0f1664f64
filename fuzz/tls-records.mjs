// Changes, cuts, doubles, leaves out and invents records of TLS on a wire between our side and
// node:tls, handshake included, and checks that nobody gets a byte that was not said, or takes a part
// for all: node fuzz/tls-records.mjs [RUNS = 3000] [SEED] [RECORDS A KEY]
import { runRecords } from '../packages/net/dist/socket/stream/record-runs.test.util.js';

const runs = Number(process.argv[2] ?? 3000);
const seed = Number(process.argv[3] ?? Date.now() % 2 ** 31);
const recordsPerKey = process.argv[4] === undefined ? undefined : Number(process.argv[4]);
const started = performance.now();
const report = await runRecords({ runs, seed, recordsPerKey });
const seconds = (performance.now() - started) / 1000;
process.stdout.write(`${JSON.stringify({ seed, ...report, seconds })}\n`);
process.exitCode = report.failures.length === 0 ? 0 : 1;
