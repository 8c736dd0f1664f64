// node bench/campaigns/drip-feed.mjs [clients] [frameTimeoutMs]: clients that send a byte of a frame
// each second, against a server of framed messages, while good ones are served. Reach (safety.md's
// figures): all 2,000 gone within the deadline + 2 s, good clients' p99 at most 50 ms.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { lengthPrefix } from '@sockeye/net/codec';
import { framed } from '@sockeye/net/framed';
import { serve } from '@sockeye/net/server';

const GRACE_SECONDS = 2;
const MOST_P99_MS = 50;
const count = Number(process.argv[2] ?? 2_000);
const frameTimeoutMs = Number(process.argv[3] ?? 10_000);

const server = await serve(
  { host: '127.0.0.1', port: 0 },
  async (connection) => {
    const messages = framed(connection, lengthPrefix(), { frameTimeoutMs });
    for await (const message of messages) await messages.send(message);
  },
  { backlog: 4_096, firstByteTimeoutMs: frameTimeoutMs },
);
const script = fileURLToPath(new URL('drip-feed.py', import.meta.url));
const args = [script, server.address.port, count, frameTimeoutMs / 1000].map(String);
const load = spawn('python3', args, { stdio: ['ignore', 'pipe', 'inherit'] });
const [text] = await once(load.stdout, 'data');
const { lastClosedSeconds, firstClosedSeconds, stillOpen, p50Ms, p99Ms, samples } =
  JSON.parse(text);
const deadline = frameTimeoutMs / 1000;
const isGood =
  stillOpen === 0 &&
  firstClosedSeconds >= deadline &&
  lastClosedSeconds <= deadline + GRACE_SECONDS &&
  p99Ms <= MOST_P99_MS;
process.stdout.write(
  `${count} drip-feeding clients, deadline ${deadline} s: closed after ` +
    `${firstClosedSeconds.toFixed(2)} to ${lastClosedSeconds.toFixed(2)} s, ${stillOpen} still open; ` +
    `good clients: p50 ${p50Ms.toFixed(2)} ms, p99 ${p99Ms.toFixed(2)} ms of ${samples}: ` +
    `${isGood ? 'reached' : 'NOT reached'}\n`,
);
await server.close();
process.exitCode = isGood ? 0 : 1;
