// Mutated packets and capture files against the dissector: no throw, no packet above 50 ms.
// node fuzz/dissect-mutations.mjs [COUNT, default 1000000] [SEED, default 1]
import { runMutations } from '../packages/net/dist/dissect/mutation-run.test.util.js';

const [count = '1000000', seed = '1'] = process.argv.slice(2);
const begin = performance.now();
const report = await runMutations(Number(count), Number(seed));
const seconds = (performance.now() - begin) / 1000;
console.log(
  `${report.packets} packets, ${report.files} files in ${seconds.toFixed(1)} s: no throw, slowest ${report.slowestMs.toFixed(1)} ms, ${report.stopped} stopped early`,
);
if (report.slowestMs >= 50) {
  console.error(`above 50 ms: ${report.slowestHex}`);
  process.exitCode = 1;
}
