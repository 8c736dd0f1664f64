import { PREAMBLE, SOURCE_LEASE_MS, WARM_UP_MARK } from '../bench/bench-protocol.ts';
import { SCHEDULED_DEPTH } from '../bench/bench-options.ts';
import type { BenchEmitFlags, BenchModeText } from './bench-program.ts';
import { LATENCIES, UNANSWERED } from './bench-streams.ts';
import { literal } from './source-text.ts';

const LOST = 'console.log(`lost ${lost} of ${messages + lost} datagrams`);\n';

/** A mode of `bench` on datagrams, which may get lost. */
export function benchDatagrams(flags: BenchEmitFlags): BenchModeText {
  switch (flags.mode) {
    case 'echo':
      return flags.rate === undefined
        ? { code: echo(flags), report: LOST + LATENCIES }
        : { code: scheduledEcho(flags), report: LOST + UNANSWERED + LATENCIES };
    case 'send':
      return {
        code: (flags.rate === undefined ? SEND : SCHEDULED_SEND) + ASK,
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
const latencies: number[] = [];

async function run(socket: Opened) {
  const sentAt = new Map<number, number>();
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

/** Latencies from the time at which each datagram was due. */
function scheduledEcho({ depth = SCHEDULED_DEPTH, timeout }: BenchEmitFlags): string {
  return `let lost = 0;
let unanswered = 0;
const latencies: number[] = [];

async function run(socket: Opened, index: number) {
  const sentAt = new Map<number, number>();
  let wake = () => {};
  function finish(number: number) {
    sentAt.delete(number);
    unanswered--;
    wake();
  }
  async function send() {
    for (let sent = 0; ; sent++) {
      await until(dueAt(index, sent));
      if (phase === 'over') return;
      unanswered++;
      // What waits here is late, and so is its answer.
      while (sentAt.size >= ${depth}) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const datagram = Buffer.alloc(SIZE, 'bench');
      datagram.writeDoubleBE(sent);
      sentAt.set(sent, performance.now());
      await socket.send(datagram);
    }
  }
  setInterval(() => {
    for (const [number, time] of sentAt) {
      if (performance.now() - time < ${timeout}) break;
      if (phase === 'measured') lost++;
      finish(number);
    }
  }, ${Math.min(Math.max(timeout / 10, 5), 100)});
  send();
  while (phase !== 'over') {
    const datagram = await socket.recv(SIZE);
    const number = datagram.readDoubleBE();
    // The second of two, or so late that it counted as lost.
    if (!sentAt.has(number)) continue;
    if (phase === 'measured') {
      messages++;
      latencies.push(performance.now() - dueAt(index, number));
    }
    finish(number);
  }
}
`;
}

const BATCH = 64;

const BATCHES = `let arrived = 0;

function batchOf(text: string) {
  const data = Buffer.alloc(SIZE, text);
  return Array.from({ length: ${BATCH} }, () => ({ data }));
}

// What begins like this is not counted by the server.
const warmUp = batchOf(${literal(WARM_UP_MARK)});
const counted = batchOf('bench');
`;

const SEND = `${BATCHES}
async function run(socket: Opened) {
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

const SCHEDULED_SEND = `${BATCHES}
async function run(socket: Opened, index: number) {
  const [, cookie] = await ask(socket, 'hello', /^sockeye-bench cookie (\\w+)$/);
  await ask(socket, \`discard \${cookie}\`, /^sockeye-bench ready$/);
  for (let sent = 0; phase !== 'over'; ) {
    await until(dueAt(index, sent));
    let due = 1;
    while (due < ${BATCH} && dueAt(index, sent + due) <= performance.now()) due++;
    const isCounted = phase === 'measured';
    const count = await socket.sendmmsg((isCounted ? counted : warmUp).slice(0, due));
    sent += count;
    if (isCounted) messages += count;
  }
  const [, count] = await ask(socket, \`report \${cookie}\`, /^sockeye-bench received (\\d+) \\d+$/);
  arrived += Number(count);
}
`;

const RECEIVE = `let lost = 0;

async function run(socket: Opened) {
  const [, cookie] = await ask(socket, 'hello', /^sockeye-bench cookie (\\w+)$/);
  const request = Buffer.from(\`${PREAMBLE}source \${SIZE} \${cookie}\`);
  await socket.send(request);
  // The server stops by itself when nobody asks any more.
  setInterval(() => socket.send(request), ${SOURCE_LEASE_MS / 4});
  let next: number | undefined;
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
async function ask(socket: Opened, what: string, expected: RegExp) {
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
