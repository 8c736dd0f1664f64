// node bench/campaigns/dissect-rate.mjs [--packets 400000] [--rounds 3]: packets a second from a file,
// by Sockeye and by tshark on the same file, interleaved in one run. Reach: to TCP and UDP at least
// 1,500,000 a second, every field of every layer at least 300,000, each ten times tshark's rate for
// the same. Each reads in a process of its own: the first pass of a fresh one counts, compilation
// included. A rate is by elapsed time, on a machine that does nothing else; tshark's start-up, what it
// needs for a file without packets, is taken off.
import { spawnSync } from 'node:child_process';
import { createWriteStream, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { readCapture } from '@sockeye/net/capture';
import { classify, createDissector, PacketClass } from '@sockeye/net/dissect';
import { mixedCapture } from '../lib/mixed-capture.mjs';
import { makeFilesDirectory } from '../lib/paths.mjs';
import { median } from '../lib/statistics.mjs';

const { values } = parseArgs({
  allowPositionals: true,
  options: {
    packets: { type: 'string', default: '400000' },
    rounds: { type: 'string', default: '3' },
    worker: { type: 'string' },
  },
});
const packets = Number(values.packets);
const self = fileURLToPath(import.meta.url);

async function classifyFile(file) {
  const found = new PacketClass();
  let count = 0;
  for await (const items of readCapture(file)) {
    for (const item of items) {
      if (item.type !== 'packet') continue;
      if (classify(item.buffer, item.linkType, found, item.start, item.end)) count++;
    }
  }
  return count;
}

async function dissectFile(file) {
  const dissect = createDissector();
  let count = 0;
  for await (const items of readCapture(file)) {
    for (const item of items) {
      if (item.type !== 'packet') continue;
      const { linkType, start, end, originalLength } = item;
      if (dissect(item.buffer, { linkType, start, end, originalLength }).stops.length === 0)
        count++;
    }
  }
  return count;
}

/** What a worker process does: one pass over a file, twice, for a process that has run a while too. */
async function work(name, file) {
  const pass = name === 'classify' ? classifyFile : dissectFile;
  const rates = [];
  for (let turn = 0; turn < 2; turn++) {
    const start = performance.now();
    const count = await pass(file);
    rates.push((count / (performance.now() - start)) * 1000);
  }
  process.stdout.write(JSON.stringify(rates));
}

function tsharkSeconds(file, args) {
  const start = performance.now();
  const { status } = spawnSync('tshark', ['-n', '-r', file, ...args], { stdio: 'ignore' });
  if (status !== 0) throw new Error(`tshark ${args.join(' ')} failed`);
  return (performance.now() - start) / 1000;
}

function ownRates(name, file) {
  const args = [self, '--worker', name, file];
  const { stdout, status } = spawnSync(process.execPath, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) throw new Error(`${name} failed`);
  return JSON.parse(stdout);
}

const ports = ['tcp.srcport', 'tcp.dstport', 'udp.srcport', 'udp.dstport'];
const comparisons = [
  {
    name: 'to TCP and UDP',
    own: (file) => ownRates('classify', file),
    theirs: ['-T', 'fields', ...ports.flatMap((port) => ['-e', port])],
    least: 1_500_000,
  },
  {
    name: 'every field',
    own: (file) => ownRates('dissect', file),
    theirs: ['-V'],
    least: 300_000,
  },
];

async function compareAll(directory) {
  const [file, empty] = ['packets', 'empty'].map((name) => join(directory, `${name}.pcapng`));
  await pipeline(Readable.from(mixedCapture(packets)), createWriteStream(file));
  await pipeline(Readable.from(mixedCapture(0)), createWriteStream(empty));
  process.stdout.write(`${packets} packets, ${(statSync(file).size / 1e6).toFixed(0)} MB\n`);
  const rounds = comparisons.map(() => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const [index, { own, theirs }] of comparisons.entries()) {
      const used = tsharkSeconds(file, theirs) - tsharkSeconds(empty, theirs);
      rounds[index].push({ rates: own(file), tshark: packets / used });
    }
  }
  return rounds;
}

function tell(rounds) {
  let isReached = true;
  for (const [index, { name, least, theirs }] of comparisons.entries()) {
    const of = (figure) => Math.round(median(rounds[index].map(figure)));
    const own = of(({ rates }) => rates[0]);
    const again = of(({ rates }) => rates[1]);
    const ratio = median(rounds[index].map(({ rates, tshark }) => rates[0] / tshark));
    const isEnough = own >= least && ratio >= 10;
    isReached &&= isEnough;
    process.stdout.write(
      `${name}: ${own}/s, read again ${again}/s; tshark ${theirs.slice(0, 2).join(' ')} ` +
        `${of(({ tshark }) => tshark)}/s; ratio ${ratio.toFixed(1)}: ` +
        `${isEnough ? 'reached' : 'NOT reached'}\n`,
    );
  }
  return isReached;
}

if (values.worker === undefined) {
  const directory = makeFilesDirectory();
  try {
    process.exitCode = tell(await compareAll(directory)) ? 0 : 1;
  } finally {
    rmSync(directory, { recursive: true });
  }
} else await work(values.worker, process.argv.at(-1));
