// node bench/campaigns/capture-rate.mjs [--rates 300000,0] [--rounds 3] [--seconds 4] [--directory DIR]:
// 64-byte packets on loopback to disk, by `sockeye capture --write` and by tcpdump, interleaved in one
// run. Rate 0 is as fast as the sender goes. Reach: no packet lost at 300,000 a second, or at what
// tcpdump keeps without a loss, whichever is lower. Every file is counted by capinfos, which neither
// program wrote.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { compilePacketFlood } from '../lib/compile.mjs';

const { values } = parseArgs({
  options: {
    rates: { type: 'string', default: '300000,0' },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '4' },
    directory: { type: 'string', default: tmpdir() },
  },
});
const REACH_RATE = 300_000;
const TICKS_A_SECOND = 100;
// tcpdump ends at once, without what its ring still holds; a block waits there for a second at most.
const SETTLE_MS = 1500;
const command = fileURLToPath(new URL('../../packages/cli/bin/sockeye.js', import.meta.url));
const flood = compilePacketFlood();
const directory = mkdtempSync(join(values.directory, 'sockeye-capture-rate-'));

/** Both get the same filter, and by name what differs: tcpdump's ring is 2 MiB unless it is told. */
const programs = {
  sockeye: (file, filter) => [
    process.execPath,
    [command, 'capture', '-i', 'lo', '--write', file, ...filter],
    /capturing on/,
  ],
  tcpdump: (file, filter) => ['tcpdump', ['-i', 'lo', '-w', file, ...filter], /listening on/],
  'tcpdump -B 32768': (file, filter) => [
    'tcpdump',
    ['-i', 'lo', '-B', '32768', '-w', file, ...filter],
    /listening on/,
  ],
};

/** A port that nobody uses. */
async function freePort() {
  const socket = createSocket('udp4');
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  return port;
}

/** CPU seconds and the largest resident memory of a process. */
function usage(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /, '')
    .split(' ');
  const kilobytes = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1];
  return {
    cpu: (Number(fields[11]) + Number(fields[12])) / TICKS_A_SECOND,
    mebibytes: Number(kilobytes) / 1024,
  };
}

async function run(program, args) {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.on('data', (chunk) => (text += chunk));
  await once(child, 'close');
  return text;
}

async function measure(name, rate) {
  const port = await freePort();
  const file = join(directory, 'capture.pcapng');
  const [program, args, ready] = programs[name](file, ['udp', 'port', String(port)]);
  const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'pipe'] });
  let said = '';
  await new Promise((resolve, reject) => {
    child.stderr.on('data', (chunk) => {
      said += chunk;
      if (ready.test(said)) resolve();
    });
    child.once('close', () => reject(new Error(`${name} ended early: ${said}`)));
  });
  const before = usage(child.pid);
  const { sent, seconds } = JSON.parse(await run(flood, [port, rate, values.seconds].map(String)));
  await sleep(SETTLE_MS);
  const after = usage(child.pid);
  child.kill('SIGINT');
  await once(child, 'close');
  const counted = execFileSync('capinfos', ['-c', '-M', file], { encoding: 'utf8' });
  const kept = Number(/Number of packets\s*[:=]\s*(\d+)/.exec(counted)[1]);
  const dropped = Number(/(\d+) (?:packets )?dropped by (?:the )?kernel/.exec(said)?.[1]);
  const bytes = statSync(file).size;
  rmSync(file);
  return {
    rate: sent / seconds,
    sent,
    kept,
    dropped,
    cpuMicroseconds: ((after.cpu - before.cpu) * 1e6) / sent,
    mebibytes: after.mebibytes,
    fileRate: bytes / seconds / 1e6,
  };
}

const results = new Map();
try {
  for (const rate of values.rates.split(',').map(Number)) {
    for (let round = 1; round <= Number(values.rounds); round++) {
      for (const name of Object.keys(programs)) {
        const figures = await measure(name, rate);
        const key = `${name} ${rate}`;
        results.set(key, [...(results.get(key) ?? []), figures]);
        const { sent, kept, dropped } = figures;
        process.stdout.write(
          `${name.padEnd(17)} sent ${sent} at ${Math.round(figures.rate)}/s, kept ${kept}, ` +
            `lost ${sent - kept} (it says ${dropped}), ` +
            `${figures.cpuMicroseconds.toFixed(2)} µs CPU a packet, ` +
            `${figures.mebibytes.toFixed(0)} MiB, ${figures.fileRate.toFixed(1)} MB/s to disk\n`,
        );
      }
    }
  }
} finally {
  rmSync(directory, { recursive: true });
}

/** Of all rounds at a rate: what was lost, and the lowest rate that was really sent. */
function summary(name, rate) {
  const rounds = results.get(`${name} ${rate}`) ?? [];
  const sent = rounds.reduce((sum, round) => sum + round.sent, 0);
  const kept = rounds.reduce((sum, round) => sum + round.kept, 0);
  return { lost: sent - kept, rate: Math.min(...rounds.map((round) => round.rate)) };
}

const reach = summary('sockeye', REACH_RATE);
if (Number.isFinite(reach.rate)) {
  const peer = summary('tcpdump', REACH_RATE);
  // A sender that a busy machine starved has shown nothing.
  const isReached = reach.lost === 0 && reach.rate >= REACH_RATE * 0.99;
  process.stdout.write(
    `at ${Math.round(reach.rate)} packets a second sockeye lost ${reach.lost}, ` +
      `tcpdump ${peer.lost}: ${isReached ? 'reached' : 'NOT reached'}\n`,
  );
  process.exitCode = isReached ? 0 : 1;
}
