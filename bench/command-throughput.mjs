// node bench/command-throughput.mjs --help
//
// Random bytes through `sockeye connect | sockeye listen` and through `sockeye forward`, beside socat
// in the same run: they take turns, every other round from the last to the first. What arrives goes through a pipe to cmp, which compares every
// byte and costs less than the programs that are measured.
// Prints, for each way, the median rate and the median CPU seconds (user and system) of the programs
// that are compared; not those of what feeds and drains them.
import { spawn, spawnSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import {
  closeSync,
  createReadStream,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { setPipeSize } from '@sockeye/net';

const HELP = `node bench/command-throughput.mjs [--mib N] [--rounds N] [--only WAY[,WAY…]] [--markdown | --json]

  --mib N        what goes through, in MiB (1024)
  --rounds N     how often each program gets it; the medians are printed (5)
  --only WAYS    the ways with one of these words in their name: "forward tcp", "tls"
  --list         names the ways and ends
  --markdown     rows of the table of docs/performance.md
  --json         an object a way

At the end the exit status is 1 if a byte arrived changed, or none did.`;

const { values } = parseArgs({
  options: {
    mib: { type: 'string', default: '1024' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    list: { type: 'boolean', default: false },
    markdown: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(HELP);
  process.exit(0);
}
const MIB = Number(values.mib);
const ROUNDS = Number(values.rounds);
const COMMAND = fileURLToPath(new URL('../packages/cli/bin/sockeye.js', import.meta.url));
const POLL_MS = 20;
// pipe(7): what anyone may ask for.
const PIPE_BYTES = 1024 * 1024;

const directory = mkdtempSync(join(tmpdir(), 'sockeye-throughput-'));
const file = join(directory, 'random');
const started = new Set();
process.on('exit', () => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(directory, { recursive: true, force: true });
});

function makeFile() {
  const chunk = Buffer.alloc(1024 * 1024);
  const fd = openSync(file, 'w');
  for (let i = 0; i < MIB; i++) writeSync(fd, randomFillSync(chunk));
  closeSync(fd);
}

function makeCertificate() {
  const { status, stderr } = spawnSync('openssl', [
    'req',
    '-x509',
    '-newkey',
    'rsa:2048',
    '-nodes',
    '-days',
    '2',
    '-subj',
    '/CN=localhost',
    '-keyout',
    join(directory, 'key.pem'),
    '-out',
    join(directory, 'cert.pem'),
    '-addext',
    'subjectAltName=DNS:localhost,IP:127.0.0.1',
  ]);
  if (status !== 0) throw new Error(`openssl: ${stderr}`);
}

function start(words, stdio) {
  const [name, ...args] = words;
  const own = name === 'sockeye' ? [process.execPath, COMMAND, ...args] : words;
  const child = spawn(own[0], own.slice(1), { stdio, cwd: directory });
  started.add(child);
  child.once('exit', () => started.delete(child));
  return child;
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Whether a port or a path has a listener: proc(5). */
function listens(place) {
  if (typeof place === 'string') return readFileSync('/proc/net/unix', 'latin1').includes(place);
  const wanted = `:${place.toString(16).toUpperCase().padStart(4, '0')} `;
  return ['tcp', 'tcp6'].some((table) =>
    readFileSync(`/proc/net/${table}`, 'latin1')
      .split('\n')
      .some((row) => row.includes(wanted) && / 0A /.test(row)),
  );
}

async function untilListens(place) {
  while (!listens(place)) await pause(POLL_MS);
}

/** User and system seconds of a process and those it waited for: proc(5), fields 14 to 17. */
function cpuSeconds({ pid }) {
  const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return [11, 12, 13, 14].reduce((sum, index) => sum + Number(fields[index]), 0) / 100;
}

/**
 * Both ends of a pipe. (Node gives its children sockets.) It holds 1 MiB: with the 64 KiB of a new one
 * the receiver and cmp wait for each other, and that is what is measured: all programs come out alike.
 */
function makePipe() {
  const path = join(directory, 'pipe');
  const { status, stderr } = spawnSync('mkfifo', [path]);
  if (status !== 0) throw new Error(`mkfifo: ${stderr}`);
  const both = openSync(path, 'r+');
  setPipeSize(both, PIPE_BYTES);
  const ends = [openSync(path, 'r'), openSync(path, 'w')];
  closeSync(both);
  rmSync(path);
  return ends;
}

/**
 * The file through `sender`, whatever is between, and `receiver`, whose stdout is compared.
 *
 * @returns seconds, from the sender's start to the last byte, and the CPU seconds of `measured`
 */
async function carry({ receiver, between, sender, places, measured }) {
  const input = openSync(file, 'r');
  const children = {};
  const [readEnd, writeEnd] = makePipe();
  children.receiver = start(receiver, ['ignore', writeEnd, 'ignore']);
  const cmp = start(['cmp', '--silent', file, '-'], [readEnd, 'ignore', 'ignore']);
  const compared = once(cmp, 'exit');
  closeSync(readEnd);
  closeSync(writeEnd);
  await untilListens(places[0]);
  if (between !== undefined) {
    children.between = start(between, ['ignore', 'ignore', 'ignore']);
    await untilListens(places[1]);
  }
  const begun = performance.now();
  children.sender = start(sender, [input, 'ignore', 'ignore']);
  const cpu = {};
  const sample = () => {
    for (const name of measured) {
      try {
        cpu[name] = cpuSeconds(children[name]);
      } catch {
        // It has ended; the sample before counts.
      }
    }
  };
  const clock = setInterval(sample, POLL_MS);
  const [status] = await compared;
  const ended = performance.now();
  sample();
  clearInterval(clock);
  closeSync(input);
  for (const child of Object.values(children)) child.kill('SIGKILL');
  const seconds = (ended - begun) / 1000;
  const cpuSum = Object.values(cpu).reduce((sum, value) => sum + value, 0);
  return { seconds, cpu: cpuSum, unchanged: status === 0 };
}

/** Both ends in one program's hands: `connect | listen` beside `socat | socat`. */
async function pipeWay(program) {
  const port = await freePort();
  const measured = ['sender', 'receiver'];
  if (program === 'sockeye') {
    const address = `127.0.0.1:${port}`;
    const receiver = ['sockeye', 'listen', address, '--quiet'];
    return { receiver, sender: ['sockeye', 'connect', address], places: [port], measured };
  }
  const block = program === 'socat' ? [] : ['-b', '262144'];
  const receiver = ['socat', '-u', ...block, `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`, '-'];
  const sender = ['socat', '-u', ...block, '-', `TCP:127.0.0.1:${port}`];
  return { receiver, sender, places: [port], measured };
}

async function tlsPipeWay(program) {
  const port = await freePort();
  const measured = ['sender', 'receiver'];
  if (program === 'sockeye') {
    const address = `tls://127.0.0.1:${port}`;
    const own = ['--cert', 'cert.pem', '--key', 'key.pem'];
    const receiver = ['sockeye', 'listen', address, '--quiet', ...own];
    const sender = ['sockeye', 'connect', address, '--ca', 'cert.pem'];
    return { receiver, sender, places: [port], measured };
  }
  const own = 'cert=cert.pem,key=key.pem,verify=0';
  const block = program === 'socat' ? [] : ['-b', '262144'];
  const receiver = [
    'socat',
    '-u',
    ...block,
    `OPENSSL-LISTEN:${port},bind=127.0.0.1,reuseaddr,${own}`,
    '-',
  ];
  const sender = ['socat', '-u', ...block, '-', `OPENSSL:127.0.0.1:${port},cafile=cert.pem`];
  return { receiver, sender, places: [port], measured };
}

/** A family's words: where it is, and how socat and `sockeye forward` name it. */
const FAMILIES = {
  tcp: (port) => ({
    place: port,
    sockeye: `127.0.0.1:${port}`,
    listen: `TCP-LISTEN:${port},bind=127.0.0.1,reuseaddr`,
    connect: `TCP:127.0.0.1:${port}`,
  }),
  tcp6: (port) => ({
    place: port,
    sockeye: `[::1]:${port}`,
    listen: `TCP6-LISTEN:${port},bind=[::1],reuseaddr`,
    connect: `TCP6:[::1]:${port}`,
  }),
  unix: (port) => {
    const path = join(directory, `${port}.sock`);
    return {
      place: path,
      sockeye: `unix://${path}`,
      listen: `UNIX-LISTEN:${path}`,
      connect: `UNIX-CONNECT:${path}`,
    };
  },
  seqpacket: (port) => {
    const path = join(directory, `${port}.sock`);
    return {
      place: path,
      sockeye: `unix-seqpacket://${path}`,
      listen: `UNIX-LISTEN:${path},socktype=5`,
      connect: `UNIX-CONNECT:${path},socktype=5`,
    };
  },
  tls: (port) => ({
    place: port,
    sockeye: `tls://127.0.0.1:${port}`,
    listen: `OPENSSL-LISTEN:${port},bind=127.0.0.1,reuseaddr,cert=cert.pem,key=key.pem,verify=0`,
    connect: `OPENSSL:127.0.0.1:${port},cafile=cert.pem`,
  }),
};

/** One program between two ends of socat's, which are the same for both. */
function forwardWay(from, to) {
  return async (program) => {
    const way = FAMILIES[from](await freePort());
    const target = FAMILIES[to](await freePort());
    const tls = [
      ...(from === 'tls' ? ['--cert', 'cert.pem', '--key', 'key.pem'] : []),
      ...(to === 'tls' ? ['--ca', 'cert.pem'] : []),
    ];
    const own = ['sockeye', 'forward', way.sockeye, target.sockeye, '--quiet', ...tls];
    // socat takes 8 KiB at once unless told otherwise; 256 KiB is what sockeye takes.
    const block = program === 'socat' ? [] : ['-b', '262144'];
    const other = ['socat', ...block, '-t', '10', way.listen, target.connect];
    // socat cuts a message that is longer than its buffer.
    const piece = from === 'seqpacket' ? '8192' : '262144';
    return {
      receiver: ['socat', '-u', '-b', '262144', target.listen, '-'],
      between: program === 'sockeye' ? own : other,
      sender: ['socat', '-u', '-b', piece, '-', way.connect],
      places: [target.place, way.place],
      measured: ['between'],
    };
  };
}

const STREAMS = ['tcp', 'tcp6', 'unix', 'tls'];
const PAIRS = [
  ...STREAMS.flatMap((from) => STREAMS.map((to) => [from, to])),
  ['seqpacket', 'seqpacket'],
];
const WAYS = {
  'connect | listen': pipeWay,
  'connect | listen, tls': tlsPipeWay,
  ...Object.fromEntries(PAIRS.map(([from, to]) => [`forward ${from} ${to}`, forwardWay(from, to)])),
};

function median(numbers) {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
}

/** One way in all rounds: a figure for each program. */
async function measure(way) {
  const seen = { sockeye: [], socat: [], 'socat -b 256K': [] };
  const programs = Object.keys(seen);
  for (let round = 0; round < ROUNDS; round++) {
    for (const program of round % 2 === 0 ? programs : programs.toReversed()) {
      seen[program].push(await carry(await way(program)));
    }
  }
  return Object.entries(seen).map(([program, results]) => ({
    program,
    mbPerSecond: Math.round((MIB * 1.048576) / median(results.map(({ seconds }) => seconds))),
    cpuSeconds: Number(median(results.map(({ cpu }) => cpu)).toFixed(2)),
    unchanged: results.every(({ unchanged }) => unchanged),
  }));
}

function tell(name, figures) {
  const [sockeye, ...others] = figures;
  const ratios = others.map((other) => (sockeye.mbPerSecond / other.mbPerSecond).toFixed(2));
  if (values.json) {
    console.log(JSON.stringify({ way: name, mib: MIB, rounds: ROUNDS, figures }));
  } else if (values.markdown) {
    const rates = figures.map(({ mbPerSecond }) => mbPerSecond);
    const times = figures.map(({ cpuSeconds: cpu }) => cpu.toFixed(2));
    const way = name.replaceAll('|', '\\|');
    console.log(`| ${[way, ...rates, ...ratios, ...times].join(' | ')} |`);
  } else {
    const shown = figures.map(
      ({ program, mbPerSecond, cpuSeconds: cpu, unchanged }, i) =>
        `${program} ${mbPerSecond} MB/s, ${cpu} s CPU${i > 0 ? ` (${ratios[i - 1]})` : ''}${unchanged ? '' : ', CHANGED'}`,
    );
    console.log(`${name.padEnd(22)} ${shown.join('   ')}`);
  }
}

const words = values.only.split(',');
const chosen = Object.entries(WAYS).filter(([name]) => words.some((word) => name.includes(word)));
if (values.list || chosen.length === 0) {
  console.log(Object.keys(WAYS).join('\n'));
  process.exit(values.list ? 0 : 2);
}
makeFile();
makeCertificate();
// The file is in the page cache from here on, for the first as for the last.
for await (const _ of createReadStream(file));
let isWhole = true;
for (const [name, way] of chosen) {
  const figures = await measure(way);
  isWhole &&= figures.every(({ unchanged }) => unchanged);
  tell(name, figures);
}
process.exit(isWhole ? 0 : 1);
