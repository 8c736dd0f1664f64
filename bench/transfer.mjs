// File transfer on loopback: Sockeye beside nc, scp and rsync, in turn, round by round.
//   node bench/transfer.mjs [--size MIB = 1024] [--files N = 20000] [--rounds N = 3] [--hash sha256]
// What is not installed is skipped aloud. SSHD and RSYNC name binaries elsewhere, TMPDIR the place of
// the files. Sockeye hashes with BLAKE3 unless --hash says sha256. Wall-clock and the CPU seconds of
// both sides together are the medians of the rounds; the start of the sending program counts. Only
// Sockeye verifies and calls fsync.
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

const SELF = fileURLToPath(import.meta.url);
const LIBRARY = pathToFileURL(join(SELF, '../../packages/net/dist/transfer/index.js')).href;
const SECRET = 'bench000-1111-2222-3333-4444-5555-6789-abcd';

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1024' },
    files: { type: 'string', default: '20000' },
    rounds: { type: 'string', default: '3' },
    hash: { type: 'string', default: 'blake3' },
    side: { type: 'string' },
    how: { type: 'string' },
    path: { type: 'string' },
    port: { type: 'string' },
  },
});

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
    const to = { host: '127.0.0.1', port: Number(values.port) };
    const receiver = await receiveFiles(values.path, to, { ...options, once: true });
    process.stdout.write('ready\n');
    await receiver.finished();
  } else {
    const to = { host: '127.0.0.1', port: Number(values.port) };
    const receipt = await sendFiles([values.path], to, options);
    if (!receipt.complete) throw new Error('not everything arrived');
  }
  process.stdout.write(`rss ${process.resourceUsage().maxRSS}\n`);
}

if (values.side !== undefined) {
  await runSide();
  process.exit();
}

const root = fs.mkdtempSync(join(tmpdir(), 'sockeye-bench-'));
const at = (name) => join(root, name);
process.on('exit', () => fs.rmSync(root, { recursive: true, force: true }));

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until somebody listens, without connecting: a listener for one peer would take us for it. */
async function listens(port) {
  const hex = port.toString(16).toUpperCase().padStart(4, '0');
  const line = new RegExp(`:${hex} [0-9A-F]+:0000 0A`);
  for (let i = 0; i < 500; i++) {
    const tables = ['/proc/net/tcp', '/proc/net/tcp6'].map((file) => fs.readFileSync(file, 'utf8'));
    if (tables.some((table) => line.test(table))) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error(`nobody listens on ${port}`);
}

let timeFiles = 0;

/** Starts a command whose CPU time is measured when it ends. */
function timed(command, args, options = {}) {
  const file = at(`time-${timeFiles++}`);
  const child = spawn('time', ['-f', '%U %S', '-o', file, command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    ...options,
  });
  let output = '';
  child.stdout?.on('data', (chunk) => (output += chunk));
  child.stderr?.on('data', (chunk) => (output += chunk));
  const ended = once(child, 'close').then(([code]) => {
    const [user, system] = fs.readFileSync(file, 'utf8').trim().split('\n').at(-1).split(' ');
    return { code, output, cpu: Number(user) + Number(system) };
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

/** Runs a server and a client; gives wall-clock of the client's run and CPU of both. */
async function pair(what, port, server, client, lives = false) {
  await listens(port);
  const began = performance.now();
  const sending = client();
  const sent = await sending.ended;
  check(sent, what);
  const received = lives ? undefined : await server.ended;
  const seconds = (performance.now() - began) / 1000;
  if (lives) stop(server);
  const { cpu } = received ?? (await server.ended);
  const rss = [...`${sent.output}${received?.output ?? ''}`.matchAll(/rss (\d+)/g)];
  return { seconds, cpu: cpu + sent.cpu, rssMiB: Math.max(0, ...rss.map(([, kib]) => kib / 1024)) };
}

async function sockeye(how, source, target) {
  const port = await freePort();
  const flags = (side, path) => [
    SELF,
    `--side=${side}`,
    `--how=${how}`,
    `--path=${path}`,
    `--port=${port}`,
    `--hash=${values.hash}`,
  ];
  const server = timed(process.execPath, flags('receive', target));
  return pair('sockeye', port, server, () => timed(process.execPath, flags('send', source)));
}

async function netcat(source, target) {
  const port = await freePort();
  const isFile = fs.statSync(source).isFile();
  const into = isFile ? `cat > ${target}/file` : `tar -x -C ${target}`;
  const from = isFile ? `cat ${source}` : `tar -c -C ${source} .`;
  const server = timed('sh', ['-c', `nc -d -l 127.0.0.1 ${port} | ${into}`]);
  return pair('nc', port, server, () => timed('sh', ['-c', `${from} | nc -N 127.0.0.1 ${port}`]));
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
    'ListenAddress=127.0.0.1',
    `AuthorizedKeysFile=${at('authorized')}`,
    'StrictModes=no',
    'UsePAM=no',
    'PidFile=none',
    'PermitRootLogin=yes',
    `Subsystem=sftp ${sftp}`,
  ].flatMap((option) => ['-o', option]);
  const keys = ['-h', at('host'), '-p', String(port)];
  const server = timed(sshd, ['-D', '-f', '/dev/null', ...keys, ...options]);
  const known = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const flags = ['-q', '-r', '-p', '-i', at('user'), ...known, '-P', String(port)];
  const client = () => timed('scp', [...flags, source, `127.0.0.1:${target}`]);
  return pair('scp', port, server, client, true);
}

async function rsync(source, target) {
  const port = await freePort();
  const program = process.env.RSYNC ?? 'rsync';
  const module = `[target]\npath = ${target}\nread only = no\nuse chroot = no\nuid = root\ngid = root\n`;
  fs.writeFileSync(at('rsyncd.conf'), module);
  const daemon = ['--daemon', '--no-detach', `--config=${at('rsyncd.conf')}`, `--port=${port}`];
  const server = timed(program, [...daemon, '--address=127.0.0.1']);
  const to = `rsync://127.0.0.1:${port}/target`;
  return pair(
    'rsync',
    port,
    server,
    () => timed(program, ['-a', '--whole-file', source, to]),
    true,
  );
}

const works = (program, ...args) =>
  spawnSync(program, args, { stdio: 'ignore' }).error === undefined;
const hasSsh = works(process.env.SSHD ?? '/usr/sbin/sshd', '-V') && works('scp');
const hasRsync = works(process.env.RSYNC ?? 'rsync', '--version');
const peers = [
  { name: 'sockeye', run: (from, to) => sockeye('secret', from, to), isThere: true },
  { name: 'sockeye --insecure', run: (from, to) => sockeye('insecure', from, to), isThere: true },
  { name: 'nc, with tar for many', run: netcat, isThere: works('nc', '-h') },
  { name: 'scp', run: scp, isThere: hasSsh },
  { name: 'rsync --whole-file, daemon', run: rsync, isThere: hasRsync },
];

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

/**
 * Has the file system's memory backed before each run: a virtual machine gives free pages back to its
 * host, and who writes first would pay for fetching them again (3 s a GiB here).
 */
function warmMemory(source) {
  const bytes = Buffer.alloc(2 ** 20);
  const file = fs.openSync(at('warm'), 'w');
  const mebibytes =
    Math.ceil((fs.statSync(source).isFile() ? fs.statSync(source).size : 2 ** 28) / 2 ** 20) + 64;
  for (let i = 0; i < mebibytes; i++) fs.writeSync(file, bytes);
  fs.closeSync(file);
  fs.rmSync(at('warm'));
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];

async function measure(title, source, rate) {
  const results = new Map();
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const { name, run, isThere } of peers) {
      if (!isThere) {
        if (round === 0) console.error(`skipped: ${name} is not installed`);
        continue;
      }
      const target = at('target');
      fs.rmSync(target, { recursive: true, force: true });
      fs.mkdirSync(target);
      warmMemory(source);
      const result = await run(source, target);
      results.set(name, [...(results.get(name) ?? []), result]);
      console.error(
        `${title}, ${name}: ${result.seconds.toFixed(2)} s, CPU ${result.cpu.toFixed(2)} s`,
      );
    }
  }
  console.log(`\n| ${title} | wall, s | ${rate.unit} | CPU of both sides, s | largest RSS, MiB |`);
  console.log('| --- | --- | --- | --- | --- |');
  for (const [name, runs] of results) {
    const seconds = median(runs.map((run) => run.seconds));
    const cpu = median(runs.map((run) => run.cpu));
    const rss = Math.max(...runs.map((run) => run.rssMiB));
    const shown = rss === 0 ? '' : rss.toFixed(0);
    const speed = (rate.amount / seconds).toFixed(rate.digits);
    console.log(`| ${name} | ${seconds.toFixed(2)} | ${speed} | ${cpu.toFixed(2)} | ${shown} |`);
  }
}

prepareSources();
if (hasSsh) prepareSsh();
const size = Number(values.size);
const files = Number(values.files);
await measure(`one file of ${size} MiB`, at('large'), { unit: 'MiB/s', amount: size, digits: 0 });
await measure(`${files} small files`, at('small'), { unit: 'files/s', amount: files, digits: 0 });
