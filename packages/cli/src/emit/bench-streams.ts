import { type Endpoint, keepsMessages } from '../address/address.ts';
import { MAX_LINE_BYTES, streamPreamble } from '../bench/bench-protocol.ts';
import { SCHEDULED_DEPTH } from '../bench/bench-options.ts';
import type { BenchEmitFlags, BenchModeText } from './bench-program.ts';
import { literal } from './source-text.ts';

/** A mode of `bench` on streams, over TLS or not, and on sockets that keep messages. */
export function benchStreams(endpoint: Endpoint, flags: BenchEmitFlags): BenchModeText {
  const words = endpoint.transport === 'tls' ? TLS_WORDS : SOCKET_WORDS;
  switch (flags.mode) {
    case 'echo':
      return flags.rate === undefined
        ? { code: echo(words, flags), report: LATENCIES }
        : { code: scheduledEcho(words, flags), report: UNANSWERED + LATENCIES };
    case 'send':
      return { code: send(words, flags), report: ARRIVED };
    case 'receive':
      return {
        code: receive(words, flags, keepsMessages(endpoint.transport)),
        report: '',
      };
    default:
      return flags.mode satisfies never;
  }
}

/** The calls of a connection, whose name is `connection`. */
interface Words {
  readonly send: string;
  readonly receiveInto: string;
  readonly receive: string;
  readonly end: string;
}

const SOCKET_WORDS: Words = {
  send: 'connection.sendall',
  receiveInto: 'await connection.recvInto(buffer)',
  receive: 'await connection.recv(65536)',
  end: 'connection.shutdown(SHUT_WR)',
};

const TLS_WORDS: Words = {
  send: 'connection.send',
  receiveInto: '(await connection.receiveInto(buffer)) ?? 0',
  receive: "(await connection.receive(65536)) ?? ''",
  end: 'await connection.shutdown()',
};

/** The report of latencies in echo mode. */
export const LATENCIES = `latencies.sort((a, b) => a - b);
for (const percent of [50, 90, 99, 99.9]) {
  const latency = latencies[Math.ceil((latencies.length * percent) / 100) - 1] ?? NaN;
  console.log(\`p\${percent} \${(latency * 1000).toFixed(1)} µs\`);
}
`;

function echo({ send: sendAll, receiveInto }: Words, { depth = 1 }: BenchEmitFlags): string {
  return `const DEPTH = ${depth};
const latencies: number[] = [];
const message = Buffer.alloc(SIZE, 'bench');

// What comes back is counted, and not compared with what was sent.
async function run(connection: Opened) {
  const sentAt: number[] = [];
  let sent = 0;
  let answered = 0;
  function send() {
    sentAt[sent++ % DEPTH] = performance.now();
    // What breaks the connection breaks the receive below, which tells.
    ${sendAll}(message).catch(() => {});
  }
  while (sent < DEPTH) send();
${answers(receiveInto, 'sentAt[answered % DEPTH] ?? now')}      send();
    }
  }
}
`;
}

/** Counts each whole message that comes back, from the time that it is charged with. */
function answers(receiveInto: string, from: string): string {
  return `  const buffer = Buffer.alloc(262144);
  let rest = 0;
  while (phase !== 'over') {
    const count = ${receiveInto};
    if (count === 0) throw new Error('the server closed the connection');
    const now = performance.now();
    for (rest += count; rest >= SIZE; rest -= SIZE) {
      if (phase === 'measured') {
        messages++;
        latencies.push(now - (${from}));
      }
      answered++;
`;
}

/** The report of what a schedule asked for and nobody answered. */
export const UNANSWERED = 'console.log(`${unanswered} were due and have no answer`);\n';

/** Latencies from the time at which each message was due. */
function scheduledEcho({ send: sendAll, receiveInto }: Words, flags: BenchEmitFlags): string {
  return `const DEPTH = ${flags.depth ?? SCHEDULED_DEPTH};
let unanswered = 0;
const latencies: number[] = [];
const message = Buffer.alloc(SIZE, 'bench');

// What comes back is counted, and not compared with what was sent.
async function run(connection: Opened, index: number) {
  let answered = 0;
  let wake = () => {};
  async function send() {
    for (let sent = 0; ; sent++) {
      await until(dueAt(index, sent));
      if (phase === 'over') return;
      unanswered++;
      // What waits here is late, and so is its answer.
      while (sent - answered >= DEPTH) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      // What breaks the connection breaks the receive below, which tells.
      ${sendAll}(message).catch(() => {});
    }
  }
  send();
${answers(receiveInto, 'dueAt(index, answered)')}      unanswered--;
      wake();
    }
  }
}
`;
}

function send(words: Words, { depth = 1, size, rate }: BenchEmitFlags): string {
  const onSchedule =
    rate === undefined
      ? ''
      : "      await until(dueAt(index, due++));\n      if (phase === 'over') return;\n";
  const counter = rate === undefined ? '' : '  let due = 0;\n';
  return `const DEPTH = ${depth};
let arrived = 0;
let reports = 0;
const message = Buffer.alloc(SIZE, 'bench');

async function run(connection: Opened${rate === undefined ? '' : ', index: number'}) {
  // Tells "sockeye bench --serve" what to do; to any other server it is a line of text.
  await ${words.send}(Buffer.from(${literal(streamPreamble('send', size))}));
  const listening = lastWords(connection);
  let early = 0;
${counter}  async function send() {
    while (phase !== 'over') {
${onSchedule}      await ${words.send}(message);
      if (phase === 'warm-up') early += SIZE;
      if (phase === 'measured') messages++;
    }
  }
  await Promise.all(Array.from({ length: DEPTH }, send));
  ${words.end};
  const [, count] = /received (\\d+)\\n$/.exec(await listening) ?? [];
  if (count === undefined) return;
  reports++;
  arrived += Number(count) - early;
}

// Reads whatever the server says: an echo that nobody reads would stop it.
async function lastWords(connection: Opened) {
  let text = '';
  for (;;) {
    const chunk = ${words.receive};
    if (chunk.length === 0) return text;
    text = (text + chunk).slice(-${MAX_LINE_BYTES});
  }
}
`;
}

const ARRIVED = `await Promise.race([running, pause(3000)]);
console.log(reports > 0 ? \`arrived \${arrived} B, the server says\` : 'the server does not say what arrived');
`;

function receive(words: Words, { size }: BenchEmitFlags, keeps: boolean): string {
  const count = keeps
    ? 'messages++;'
    : `rest += count;
    messages += Math.floor(rest / SIZE);
    rest %= SIZE;`;
  return `
async function run(connection: Opened) {
  await ${words.send}(Buffer.from(${literal(streamPreamble('receive', size))}));
  const buffer = Buffer.alloc(Math.max(SIZE, 262144));
${keeps ? '' : '  let rest = 0;\n'}  while (phase !== 'over') {
    const count = ${words.receiveInto};
    if (count === 0) throw new Error('the server closed the connection');
    if (phase !== 'measured') continue;
    ${count}
  }
}
`;
}
