// node bench/run.mjs: the same work on every peer, interleaved; see README.md.
import { rmSync, writeFileSync } from 'node:fs';
import { constants, loadavg } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { compileLoad } from './lib/compile.mjs';
import { describeMachine, describeSource } from './lib/machine.mjs';
import { makeFilesDirectory } from './lib/paths.mjs';
import { selectPeers } from './lib/peers.mjs';
import { canPin } from './lib/pinned.mjs';
import { readResults, ResultFile } from './lib/result-file.mjs';
import { runRounds } from './lib/rounds.mjs';
import { smoke } from './lib/smoke.mjs';
import { summarize } from './lib/summarize.mjs';
import { table } from './lib/table.mjs';
import { FILE_BYTES, selectWorkloads } from './lib/workloads.mjs';

const USAGE = `usage: node bench/run.mjs [options]
  --only WORKLOAD,…   these workloads (tcp-echo-64x64, tcp-echo-16kx64, tcp-framed, udp-echo, …), or
                      groups of them: named (what runs without this option), connections, sizes,
                      processes, everything
  --peers PEER,…      c, node, sockeye, bun, deno, go, python
  --rounds N          measurements of each peer and workload (5)
  --seconds S         length of a measured window (2)
  --warmup S          before it (1)
  --idle N            connections of the idle workload (10000)
  --json FILE         write every round; a file of the same machine and versions keeps its other
                      workloads
  --missing           only the workloads that are not in FILE
  --list              print the workloads' names and measure nothing
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
    missing: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
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

async function compareOne(setup, workload, available) {
  const { source } = setup.files;
  if (workload.role === 'file-send') writeFileSync(source, Buffer.alloc(FILE_BYTES, 'x'));
  const circumstances = describeRun(setup, workload);
  const { results, labels, failures } = await runRounds(setup, workload, available);
  if (describeSource() !== circumstances.source) {
    throw new Error(
      `the sources changed while ${workload.name} was measured: its figures are void`,
    );
  }
  const figures = summarize(results, labels);
  if (figures.length > 0) process.stdout.write(`${table(workload, figures)}\n`);
  const { name, title, per } = workload;
  return { name, title, per, ...circumstances, failures, figures };
}

function describeRun(setup, workload) {
  const { seconds, warmup, rounds, idleConnections } = setup;
  const pin = setup.pin && !workload.spread;
  const how = workload.hold ? { rounds, pin, idleConnections } : { rounds, pin, seconds, warmup };
  return { when: new Date().toISOString(), source: describeSource(), load: loadavg()[0], how };
}

function openResults(available) {
  if (options.json === undefined) return undefined;
  const versions = Object.fromEntries(available.map(({ peer, version }) => [peer.id, version]));
  return new ResultFile(options.json, { machine: describeMachine(), versions });
}

/** What was asked for, without what the result file has where only the missing is wanted. */
function wantedWorkloads() {
  const known = options.missing ? (readResults(options.json)?.workloads ?? []) : [];
  const names = new Set(known.map(({ name }) => name));
  return selectWorkloads(options.only).filter(({ name }) => !names.has(name));
}

function list() {
  for (const { name } of wantedWorkloads()) process.stdout.write(`${name}\n`);
  return 0;
}

/** The figures of all workloads; 1 where a peer failed, else 0. */
async function compare(setup) {
  const available = findPeers();
  const file = openResults(available);
  let failed = false;
  for (const workload of wantedWorkloads()) {
    const result = await compareOne(setup, workload, available);
    if (result.figures.length > 0) file?.add(result);
    failed ||= result.failures.length > 0;
  }
  return failed ? 1 : 0;
}

/** The files lie in memory: they go whatever ends the process. */
function removeAtExit(directory) {
  process.once('exit', () => rmSync(directory, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  }
}

function run() {
  if (options.missing && options.json === undefined) throw new Error('--missing needs --json FILE');
  if (options.list) return list();
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
