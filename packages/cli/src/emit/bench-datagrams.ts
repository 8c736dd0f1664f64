import { PREAMBLE, SOURCE_LEASE_MS, WARM_UP_MARK } from '../bench/bench-protocol.ts';
import type { BenchEmitFlags, BenchModeText } from './bench-program.ts';
import { LATENCIES } from './bench-streams.ts';
import { literal } from './source-text.ts';

const LOST = 'console.log(`lost ${lost} of ${messages + lost} datagrams`);\n';

/** A mode of `bench` on datagrams, which may get lost. */
export function benchDatagrams(flags: BenchEmitFlags): BenchModeText {
  switch (flags.mode) {
    case 'echo':
      return { code: echo(flags), report: LOST + LATENCIES };
    case 'send':
      return {
        code: SEND + ASK,
        report: 'await running;\nconsole.log(`arrived ${arrived} of ${messages} datagrams`);\n',
      };
    case 'receive':
      return { code: RECEIVE + ASK, report: LOST };
    default:
      return flags.mode satisfies never;
  }
}

function echo({ depth = 1, timeout }: BenchEmitFlags): string {
  return `let lost = 0;
const latencies = [];

async function run(socket) {
  const sentAt = new Map();
  let sent = 0;
  async function send() {
    const datagram = Buffer.alloc(SIZE, 'bench');
    datagram.writeDoubleBE(sent);
    sentAt.set(sent++, performance.now());
    await socket.send(datagram);
  }
  setInterval(() => {
    for (const [number, time] of sentAt) {
      if (performance.now() - time < ${timeout}) break;
      if (phase === 'measured') lost++;
      sentAt.delete(number);
      send();
    }
  }, ${Math.min(Math.max(timeout / 10, 5), 100)});
  while (sent < ${depth}) await send();
  while (phase !== 'over') {
    const datagram = await socket.recv(SIZE);
    const number = datagram.readDoubleBE();
    const time = sentAt.get(number);
    // The second of two, or so late that it counted as lost.
    if (time === undefined) continue;
    sentAt.delete(number);
    if (phase === 'measured') {
      messages++;
      latencies.push(performance.now() - time);
    }
    await send();
  }
}
`;
}

const BATCH = 64;

const SEND = `let arrived = 0;

function batchOf(text) {
  const data = Buffer.alloc(SIZE, text);
  return Array.from({ length: ${BATCH} }, () => ({ data }));
}

// What begins like this is not counted by the server.
const warmUp = batchOf(${literal(WARM_UP_MARK)});
const counted = batchOf('bench');

async function run(socket) {
  const [, cookie] = await ask(socket, 'hello', /^sockeye-bench cookie (\\w+)$/);
  await ask(socket, \`discard \${cookie}\`, /^sockeye-bench ready$/);
  while (phase !== 'over') {
    const isCounted = phase === 'measured';
    const sent = await socket.sendmmsg(isCounted ? counted : warmUp);
    if (isCounted) messages += sent;
    // Timers have their turn.
    await turn();
  }
  const [, count] = await ask(socket, \`report \${cookie}\`, /^sockeye-bench received (\\d+) \\d+$/);
  arrived += Number(count);
}
`;

const RECEIVE = `let lost = 0;

async function run(socket) {
  const [, cookie] = await ask(socket, 'hello', /^sockeye-bench cookie (\\w+)$/);
  const request = Buffer.from(\`${PREAMBLE}source \${SIZE} \${cookie}\`);
  await socket.send(request);
  // The server stops by itself when nobody asks any more.
  setInterval(() => socket.send(request), ${SOURCE_LEASE_MS / 4});
  let next;
  while (phase !== 'over') {
    for (const { data } of await socket.recvmmsg(${BATCH}, SIZE)) {
      if (phase !== 'measured' || data.length !== SIZE) continue;
      const number = data.readDoubleBE();
      next ??= number;
      if (number < next) continue;
      lost += number - next;
      next = number + 1;
      messages++;
    }
  }
}
`;

// A datagram may get lost: the question is asked again until the answer comes.
const ASK = `
async function ask(socket, what, expected) {
  socket.settimeout(0.1);
  for (let tries = 0; tries < 30; tries++) {
    await socket.send(Buffer.from(\`${PREAMBLE}\${what}\`));
    const answer = await socket.recv(256).catch((error) => {
      if (!(error instanceof TimeoutError)) throw error;
    });
    const found = expected.exec(String(answer));
    if (found === null) continue;
    socket.settimeout(null);
    return found;
  }
  throw new Error('no answer; this mode needs "sockeye bench --serve" on the other side');
}
`;
