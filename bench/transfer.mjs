// File transfer on one machine: Sockeye beside nc, scp, rsync and croc, in turn, round by round.
import { spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import * as fs from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { startDelayWire, WIRE_ADDRESSES } from './lib/delay-wire.mjs';
import { keepMemory } from './lib/keep-memory.mjs';

const SELF = fileURLToPath(import.meta.url);
const LIBRARY = pathToFileURL(join(SELF, '../../packages/net/dist/transfer/index.js')).href;
const COMMAND = join(SELF, '../../packages/cli/bin/sockeye.js');
const SOCKETS = pathToFileURL(join(SELF, '../../packages/net/dist/socket/index.js')).href;
// recv(2), the same on every Linux.
const MSG_WAITALL = 0x100;
const SECRET = 'bench000-1111-2222-3333-4444-5555-6789-abcd';

const HELP = `node bench/transfer.mjs [options]

  --size MIB      of the one large file (1024; 0: none)
  --files N       small files of 0.5 to 4.5 kB (20000; 0: none)
  --directories N trees of N directories, a thousand side by side: empty, and with an empty file
                  in each (0: none)
  --rounds N      of every peer, in turn (3)
  --only WORDS    peers whose name has one of these words, separated by commas; "library" for
                  sendFiles() and receiveFiles() without the command
  --delay MS      round trip: both sides in namespaces of their own, each packet delayed (root)
  --hash sha256   instead of BLAKE3, of the library

TMPDIR is where the files are: /dev/shm for memory, which is kept backed by a virtual machine's host
where we are root (bench/lib/keep-memory.c). SSHD, SFTP_SERVER and RSYNC name binaries elsewhere.
What is not installed is skipped aloud. Wall-clock time of the sending side, its program's start
included, and the CPU seconds of both sides: medians of the rounds. Only Sockeye verifies and syncs.
The delayed wire's CPU time is nobody's, but it has the same processors.`;

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    size: { type: 'string', default: '1024' },
    files: { type: 'string', default: '20000' },
    directories: { type: 'string', default: '0' },
    rounds: { type: 'string', default: '3' },
    hash: { type: 'string', default: 'blake3' },
    only: { type: 'string', default: '' },
    delay: { type: 'string', default: '0' },
    side: { type: 'string' },
    how: { type: 'string' },
    path: { type: 'string' },
    port: { type: 'string' },
    host: { type: 'string', default: '127.0.0.1' },
  },
});

if (values.help) {
  console.log(HELP);
  process.exit();
}

function hashes() {
  if (values.hash !== 'blake3') return [];
  const { blake3 } = createRequire(import.meta.url)('@napi-rs/blake-hash');
  return [{ name: 'blake3', digest: (bytes) => blake3(bytes) }];
}

/** One side of a Sockeye transfer, in a process of its own. */
async function runSide() {
  const { receiveFiles, sendFiles } = await import(LIBRARY);
  const how = values.how === 'insecure' ? { insecure: true } : { secret: SECRET };
  const options = { ...how, hashes: hashes() };
  if (values.side === 'receive') {
    const to = { host: values.host, port: Number(values.port) };
    const receiver = await receiveFiles(values.path, to, { ...options, once: true });
    process.stdout.write('ready\n');
    await receiver.finished();
  } else {
    const to = { host: values.host, port: Number(values.port) };
    const receipt = await sendFiles([values.path], to, options);
    if (!receipt.complete) throw new Error('not everything arrived');
  }
}

/** The bytes of a file and nothing else: no hash, no name, no answer. */
async function runRaw() {
  const sockets = await import(SOCKETS);
  const there = { host: values.host, port: Number(values.port) };
  if (values.side === 'send') {
    const socket = await sockets.createConnection(there);
    await socket.sendfile(values.path);
    socket.close();
    return;
  }
  const [socket] = await sockets.createServer(there).accept();
  const file = await fs.promises.open(join(values.path, 'file'), 'w');
  const buffers = [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)];
  let written;
  for (let i = 0; ; i++) {
    const buffer = buffers[i % 2];
    const count = await socket.recvInto(buffer, undefined, MSG_WAITALL);
    await written;
    if (count === 0) break;
    written = file.write(buffer, 0, count);
  }
  await file.close();
}

if (values.side !== undefined) {
  if (values.how === 'raw') await runRaw();
  else await runSide();
  process.exit();
}

const root = fs.mkdtempSync(join(tmpdir(), 'sockeye-bench-'));
const at = (name) => join(root, name);
const wire = Number(values.delay) > 0 ? await startDelayWire(Number(values.delay)) : undefined;
/** Where servers listen. */
const HOST = wire === undefined ? '127.0.0.1' : WIRE_ADDRESSES.server;
const within = (side) => wire?.within(side) ?? [];
process.on('exit', () => {
  wire?.close();
  fs.rmSync(root, { recursive: true, force: true });
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until somebody listens, without connecting: a listener for one peer would take us for it. */
async function listens(port, { child }) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`:${hex} [0-9A-F]+:0000 0A`);
  for (let i = 0; i < 500; i++) {
    if (child.exitCode !== null) break;
    const tables = ['tcp', 'tcp6'].map((name) =>
      fs.readFileSync(`/proc/${child.pid}/net/${name}`, 'utf8'),
    );
    if (tables.some((table) => line.test(table))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nobody listens on ${port}`);
}

let timeFiles = 0;

/** Starts a command on a side; its CPU time is measured when it ends. */
function timed(side, program, args) {
  const file = at(`time-${timeFiles++}`);
  const words = [...within(side), 'time', '-f', '%U %S %M', '-o', file, program, ...args];
  const child = spawn(words[0], words.slice(1), { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'close').then(([code]) => {
    const [user, system, kib] = fs.readFileSync(file, 'utf8').trim().split('\n').at(-1).split(' ');
    return { code, output, cpu: Number(user) + Number(system), rssMiB: Number(kib) / 1024 };
  });
  return { child, ended };
}

/** Ends what `time` runs, so that it still reports. */
function stop({ child }) {
  const [inner] = spawnSync('pgrep', ['-P', String(child.pid)], { encoding: 'utf8' }).stdout.split(
    '\n',
  );
  if (inner) process.kill(Number(inner), 'SIGTERM');
}

function check({ code, output }, what) {
  if (code !== 0) throw new Error(`${what} ended with ${code}: ${output}`);
}

/**
 * Runs a server and a client; gives wall-clock of the client's run, CPU of both and the memory of
 * each.
 */
async function pair(what, port, server, client, lives = false) {
  await listens(port, server);
  const began = performance.now();
  const sent = await client.start().ended;
  check(sent, what);
  const ended = lives ? undefined : await server.ended;
  const seconds = (performance.now() - began) / 1000;
  if (lives) stop(server);
  const received = ended ?? (await server.ended);
  const rssMiB = [sent.rssMiB, received.rssMiB];
  return { seconds, cpu: received.cpu + sent.cpu, rssMiB };
}

const client = (program, args) => ({ start: () => timed('client', program, args) });

/** The command, as a user runs it. */
async function command(how, source, target) {
  const port = await freePort();
  fs.writeFileSync(at('secret'), SECRET, { mode: 0o600 });
  const trust = how === 'insecure' ? ['--insecure'] : ['--secret-file', at('secret')];
  const receive = ['receive', target, '--listen', `${HOST}:${port}`, '--once', '--yes', '--quiet'];
  const server = timed('server', process.execPath, [COMMAND, ...receive, ...trust]);
  const send = [COMMAND, 'send', source, `${HOST}:${port}`, '--quiet', ...trust];
  return pair('sockeye', port, server, client(process.execPath, send));
}

async function library(how, source, target) {
  const port = await freePort();
  const flags = (side, path) => [
    SELF,
    `--side=${side}`,
    `--how=${how}`,
    `--path=${path}`,
    `--host=${HOST}`,
    `--port=${port}`,
    `--hash=${values.hash}`,
  ];
  const server = timed('server', process.execPath, flags('receive', target));
  return pair('library', port, server, client(process.execPath, flags('send', source)));
}

async function netcat(source, target) {
  const port = await freePort();
  const isFile = fs.statSync(source).isFile();
  const into = isFile ? `cat > ${target}/file` : `tar -x -C ${target}`;
  const from = isFile ? `cat ${source}` : `tar -c -C ${source} .`;
  const server = timed('server', 'sh', ['-c', `nc -d -l ${HOST} ${port} | ${into}`]);
  return pair('nc', port, server, client('sh', ['-c', `${from} | nc -N ${HOST} ${port}`]));
}

function prepareSsh() {
  for (const name of ['host', 'user']) {
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(name)]);
  }
  fs.copyFileSync(at('user.pub'), at('authorized'));
  // Debian's sshd wants it, and only its service makes it.
  if (process.getuid() === 0) fs.mkdirSync('/run/sshd', { recursive: true });
}

async function scp(source, target) {
  const port = await freePort();
  const sshd = process.env.SSHD ?? '/usr/sbin/sshd';
  const sftp = process.env.SFTP_SERVER ?? '/usr/lib/openssh/sftp-server';
  const options = [
    `ListenAddress=${HOST}`,
    `AuthorizedKeysFile=${at('authorized')}`,
    'StrictModes=no',
    'UsePAM=no',
    'PidFile=none',
    'PermitRootLogin=yes',
    `Subsystem=sftp ${sftp}`,
  ].flatMap((option) => ['-o', option]);
  const keys = ['-h', at('host'), '-p', String(port)];
  const server = timed('server', sshd, ['-D', '-f', '/dev/null', ...keys, ...options]);
  const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const flags = ['-q', '-r', '-p', '-i', at('user'), ...known];
  const args = [...flags, '-P', String(port), source, `${HOST}:${target}`];
  return pair('scp', port, server, client('scp', args), true);
}

async function rsync(source, target) {
  const port = await freePort();
  const program = process.env.RSYNC ?? 'rsync';
  const module = `[target]\npath = ${target}\nread only = no\nuse chroot = no\nuid = root\ngid = root\n`;
  fs.writeFileSync(at('rsyncd.conf'), module);
  const daemon = ['--daemon', '--no-detach', `--config=${at('rsyncd.conf')}`, `--port=${port}`];
  const server = timed('server', program, [...daemon, `--address=${HOST}`]);
  const url = `rsync://${HOST}:${port}/target`;
  return pair('rsync', port, server, client(program, ['-a', '--whole-file', source, url]), true);
}

const works = (program, ...args) =>
  spawnSync(program, args, { stdio: 'ignore' }).error === undefined;
const hasSsh = works(process.env.SSHD ?? '/usr/sbin/sshd', '-V') && works('scp');
const hasRsync = works(process.env.RSYNC ?? 'rsync', '--version');
const croc = "Debian 12 does not have it, and npm's croc is another program";
const allPeers = [
  { name: 'sockeye, TLS', run: (from, to) => command('secret', from, to), isThere: true },
  { name: 'sockeye --insecure', run: (from, to) => command('insecure', from, to), isThere: true },
  {
    name: 'the library, TLS',
    run: (from, to) => library('secret', from, to),
    isThere: values.only.includes('library'),
    isExtra: true,
  },
  {
    name: 'the library, insecure',
    run: (from, to) => library('insecure', from, to),
    isThere: values.only.includes('library'),
    isExtra: true,
  },
  {
    name: 'sockeye sockets, sendfile, nothing verified',
    run: (from, to) => library('raw', from, to),
    isThere: true,
    isForOne: true,
  },
  { name: 'nc, with tar for many', run: netcat, isThere: works('nc', '-h') },
  { name: 'scp', run: scp, isThere: hasSsh },
  { name: 'rsync --whole-file, daemon', run: rsync, isThere: hasRsync },
  { name: 'croc', isThere: false, why: croc },
];
const wanted = values.only.split(',');
const peers = allPeers.filter(({ name }) => wanted.some((word) => name.includes(word)));

function prepareSources() {
  const mebibytes = Number(values.size);
  const file = fs.openSync(at('large'), 'w');
  for (let i = 0; i < mebibytes; i++) fs.writeSync(file, randomBytes(2 ** 20));
  fs.closeSync(file);
  fs.mkdirSync(at('small'));
  for (let i = 0; i < Number(values.files); i++) {
    fs.writeFileSync(at(`small/${i}`), randomBytes(500 + (i % 4000)));
  }
}

/** A tree of directories, with an empty file in each or not. */
function plantDirectories(name, count, hasFiles) {
  for (let i = 0; i < count; i++) {
    const directory = at(`${name}/group-${Math.floor(i / 1000)}/directory-${i}`);
    fs.mkdirSync(directory, { recursive: true });
    if (hasFiles) fs.writeFileSync(`${directory}/empty`, '');
  }
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function measure(title, source, rate) {
  const results = new Map();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, run, isThere, isForOne, isExtra, why } of peers) {
      if (isExtra && !isThere) continue;
      if (!isThere) {
        if (round === 0) console.error(`skipped: ${name} is not installed${why ? `: ${why}` : ''}`);
        continue;
      }
      if (isForOne && !fs.statSync(source).isFile()) continue;
      const target = at('target');
      fs.rmSync(target, { recursive: true, force: true });
      fs.mkdirSync(target);
      const result = await run(source, target);
      results.set(name, [...(results.get(name) ?? []), result]);
      console.error(
        `${title}, ${name}: ${result.seconds.toFixed(2)} s, CPU ${result.cpu.toFixed(2)} s`,
      );
    }
  }
  console.log(
    `\n| ${title} | wall, s | of the runs | ${rate.unit} | CPU of both sides, s | largest RSS of sender, receiver, MiB |`,
  );
  console.log('| --- | --- | --- | --- | --- | --- |');
  for (const [name, runs] of results) {
    const seconds = median(runs.map((run) => run.seconds));
    const cpu = median(runs.map((run) => run.cpu));
    const rss = [0, 1].map((side) => Math.max(...runs.map((run) => run.rssMiB[side])).toFixed(0));
    const all = runs.map((run) => run.seconds);
    const range = `${Math.min(...all).toFixed(2)} to ${Math.max(...all).toFixed(2)}`;
    const speed = (rate.amount / seconds).toFixed(0);
    console.log(
      `| ${name} | ${seconds.toFixed(2)} | ${range} | ${speed} | ${cpu.toFixed(2)} | ${rss.join(', ')} |`,
    );
  }
  ratios(results);
}

/** What each round of Sockeye's was of the peers' in the same round: the median. */
function ratios(results) {
  for (const [ours, theirs] of [
    ['sockeye, TLS', 'scp'],
    ['sockeye --insecure', 'scp'],
    ['sockeye --insecure', 'nc, with tar for many'],
    ['sockeye sockets, sendfile, nothing verified', 'nc, with tar for many'],
  ]) {
    const [own, other] = [results.get(ours), results.get(theirs)];
    if (!own || !other) continue;
    const ratio = median(own.map(({ seconds }, i) => other[i].seconds / seconds));
    console.log(`${ours}: ${ratio.toFixed(2)} times the speed of ${theirs}`);
  }
}

// The source, a target, one more that is being removed, and what programs need.
await keepMemory(3 * Number(values.size) + 2048);
prepareSources();
if (hasSsh) prepareSsh();
const size = Number(values.size);
const files = Number(values.files);
const over = values.delay === '0' ? '' : `, ${values.delay} ms round trip`;
if (size > 0) {
  await measure(`one file of ${size} MiB${over}`, at('large'), { unit: 'MiB/s', amount: size });
}
const directories = Number(values.directories);
if (directories > 0) {
  for (const [name, what] of [
    ['empty', 'empty directories'],
    ['filled', 'directories with an empty file each'],
  ]) {
    plantDirectories(name, directories, name === 'filled');
    const title = `${directories} ${what}${over}`;
    await measure(title, at(name), { unit: 'directories/s', amount: directories });
    fs.rmSync(at(name), { recursive: true });
  }
}
if (files > 0) {
  await measure(`${files} small files${over}`, at('small'), { unit: 'files/s', amount: files });
}
wire?.close();
