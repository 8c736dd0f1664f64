// node bench/run.mjs: the same work on every peer, interleaved; see README.md.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { compileLoad } from './lib/compile.mjs';
import { describeMachine } from './lib/machine.mjs';
import { makeFilesDirectory } from './lib/paths.mjs';
import { selectPeers } from './lib/peers.mjs';
import { canPin } from './lib/pinned.mjs';
import { runRounds } from './lib/rounds.mjs';
import { smoke } from './lib/smoke.mjs';
import { summarize } from './lib/summarize.mjs';
import { table } from './lib/table.mjs';
import { FILE_BYTES, selectWorkloads } from './lib/workloads.mjs';

const USAGE = `usage: node bench/run.mjs [options]
  --only WORKLOAD,…   these workloads (tcp-echo-64x64, tcp-echo-16kx64, tcp-framed, udp-echo, …)
  --peers PEER,…      c, node, sockeye, bun, deno, go, python
  --rounds N          measurements of each peer and workload (5)
  --seconds S         length of a measured window (2)
  --warmup S          before it (1)
  --idle N            connections of the idle workload (10000)
  --json FILE         write everything measured
  --no-pin            leave the processes on any CPU
  --smoke             the short check of CI;  --record writes its baseline
`;

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    only: { type: 'string' },
    peers: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    seconds: { type: 'string', default: '2' },
    warmup: { type: 'string', default: '1' },
    idle: { type: 'string', default: '10000' },
    json: { type: 'string' },
    pin: { type: 'boolean', default: true },
    smoke: { type: 'boolean', default: false },
    record: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

function positive(name) {
  const value = Number(options[name]);
  if (!(value > 0)) throw new Error(`--${name}: ${options[name]} is not a number above 0`);
  return value;
}

function makeSetup() {
  const seconds = positive('seconds');
  const warmup = positive('warmup');
  const pin = options.pin && canPin();
  if (options.pin && !pin) process.stderr.write('not pinned: taskset or a second CPU is missing\n');
  const directory = makeFilesDirectory();
  const files = { directory, source: join(directory, 'source'), target: join(directory, 'target') };
  return {
    load: compileLoad(),
    files,
    pin,
    seconds,
    warmup,
    windowMs: (seconds + warmup) * 1000,
    rounds: positive('rounds'),
    idleConnections: positive('idle'),
    verbose: process.stderr.isTTY,
  };
}

function findPeers() {
  return selectPeers(options.peers).flatMap((peer) => {
    try {
      return [{ peer, version: peer.find() }];
    } catch (error) {
      process.stderr.write(`skipped ${peer.id}: ${error.message}\n`);
      return [];
    }
  });
}

function writeJson(file, content) {
  mkdirSync(dirname(resolve(file)), { recursive: true });
  writeFileSync(file, `${JSON.stringify(content, null, 2)}\n`);
}

async function compareOne(setup, workload, available) {
  const { source } = setup.files;
  if (workload.role === 'file-send') writeFileSync(source, Buffer.alloc(FILE_BYTES, 'x'));
  const { results, failures } = await runRounds(setup, workload, available);
  const figures = summarize(results);
  const labels = Object.fromEntries(available.map(({ peer }) => [peer.id, peer.label]));
  if (figures.length > 0) process.stdout.write(`${table(workload, figures, labels)}\n`);
  const { name, title, per } = workload;
  return { name, title, per, failures, figures };
}

/** The figures of all workloads; 1 where a peer failed, else 0. */
async function compare(setup) {
  const when = new Date().toISOString();
  const machine = describeMachine();
  const available = findPeers();
  const workloads = [];
  for (const workload of selectWorkloads(options.only)) {
    workloads.push(await compareOne(setup, workload, available));
  }
  const versions = Object.fromEntries(available.map(({ peer, version }) => [peer.id, version]));
  const { seconds, warmup, rounds, pin, idleConnections } = setup;
  const how = { seconds, warmup, rounds, pin, idleConnections };
  if (options.json !== undefined) {
    writeJson(options.json, { when, machine, versions, how, workloads });
  }
  return workloads.some(({ failures }) => failures.length > 0) ? 1 : 0;
}

/** The files lie in memory: they go whatever ends the process. */
function removeAtExit(directory) {
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

function run() {
  const setup = makeSetup();
  removeAtExit(setup.files.directory);
  return options.smoke ? smoke(setup, options) : compare(setup);
}

try {
  if (options.help) process.stdout.write(USAGE);
  else process.exitCode = await run();
} catch (error) {
  process.stderr.write(`bench: ${error.message}\n`);
  process.exitCode = 1;
}
