import { type Endpoint, isConnectionless } from '../address/address.ts';
import type { BenchMode } from '../bench/bench-protocol.ts';
import { benchDatagramSide } from './bench-datagram-side.ts';
import { benchDatagrams } from './bench-datagrams.ts';
import { benchOtherSide } from './bench-other-side.ts';
import { benchStreams } from './bench-streams.ts';
import { clientLines } from './client-lines.ts';
import type { EmitFlags } from './emit.ts';
import { indented, withImports } from './source-text.ts';

/** What of the flags makes a difference. */
export interface BenchEmitFlags extends Pick<EmitFlags, 'source' | 'option'> {
  readonly serve?: boolean | undefined;
  readonly mode: BenchMode;
  /** Bytes of a message. */
  readonly size: number;
  readonly connections: number;
  readonly depth?: number | undefined;
  readonly rate?: number | undefined;
  /** Milliseconds, as those that follow. */
  readonly duration: number;
  readonly warmup: number;
  readonly timeout: number;
  readonly json?: boolean | undefined;
}

/** A `bench` to be told in other words. */
export interface EmittedBench {
  readonly endpoint: Endpoint;
  readonly flags: BenchEmitFlags & EmitFlags;
}

/** A mode in other words. */
export interface BenchModeText {
  /** Variables, `async function run(connected)`, and what that uses. */
  readonly code: string;
  /** Prints what the mode alone has, once all is over. */
  readonly report: string;
}

/** `bench`: a program that measures the same, or is the other side. */
export function benchText({ endpoint, flags }: EmittedBench): string {
  const isDatagrams = isConnectionless(endpoint.transport);
  const note = flags.json ? '// Left out: --json\n' : '';
  if (flags.serve) {
    const side = isDatagrams ? benchDatagramSide : benchOtherSide;
    return note + withImports(side({ endpoint, flags }));
  }
  const mode = isDatagrams ? benchDatagrams(flags) : benchStreams(endpoint, flags);
  return note + withImports(measuring(endpoint, flags, mode));
}

/** What all modes share: connections, a warm-up, a measurement, and rates. */
function measuring(
  endpoint: Endpoint,
  flags: EmittedBench['flags'],
  { code, report }: BenchModeText,
): string {
  const { text, name } = clientLines(endpoint, flags);
  const isTcp = endpoint.transport === 'tcp' || endpoint.transport === 'tls';
  const noDelay = isTcp ? "socket.options.set('TCP_NODELAY', true);\n" : '';
  const { connections, rate } = flags;
  const scheduled = rate === undefined ? '' : schedule(rate, connections);
  const beganAt = rate === undefined ? '' : 'const beganAt = performance.now();\n';
  return `const SIZE = ${flags.size};
let phase = 'warm-up';
let messages = 0;
${scheduled}${code}
type Opened = Awaited<ReturnType<typeof open>>;

async function open() {
${indented(`${text}${noDelay}return ${name};\n`)}}

const connections: Opened[] = [];
while (connections.length < ${connections}) connections.push(await open());
${beganAt}const running = Promise.all(connections.map(run));
await Promise.race([running, pause(${flags.warmup})]);
phase = 'measured';
const startedAt = performance.now();
await Promise.race([running, pause(${flags.duration})]);
phase = 'over';
const seconds = (performance.now() - startedAt) / 1000;
console.log(\`\${messages} messages, \${Math.round(messages / seconds)}/s\`);
console.log(\`\${((messages * SIZE) / seconds / 1e6).toFixed(3)} MB/s\`);
${report}process.exit(messages > 0 ? 0 : 1);
`;
}

/** When each message is due, whatever the answers do. */
function schedule(rate: number, connections: number): string {
  return `const RATE = ${rate};

// Messages have their times whatever the answers do, and connections take turns.
function dueAt(connection: number, message: number) {
  return beganAt + ((message * ${connections} + connection) * 1000) / RATE;
}

// A timer is exact to a millisecond only: the last two pass in turns of the event loop.
async function until(time: number) {
  for (let wait = time - performance.now(); wait > 0; wait = time - performance.now()) {
    await (wait > 2 ? pause(wait - 2) : turn());
  }
}

`;
}
