import { type Endpoint, isConnectionless } from '../address/address.ts';
import type { BenchMode } from '../bench/bench-protocol.ts';
import { usageError } from '../command-error.ts';
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

/**
 * `bench`: a program that measures the same, or is the other side.
 *
 * @throws CommandError for what can't be printed, with what can
 */
export function benchText({ endpoint, flags }: EmittedBench): string {
  const isDatagrams = isConnectionless(endpoint.transport);
  if (flags.serve && isDatagrams) {
    throw usageError(
      'cannot print the other side of datagrams: --emit prints that of streams, and ' +
        '"sockeye serve udp://… --emit" a server that echoes datagrams, which --mode echo needs',
    );
  }
  if (flags.rate !== undefined) {
    throw usageError(
      'cannot print a program that keeps to a --rate: --emit prints one that sends as fast as it can',
    );
  }
  const note = flags.json ? '// Left out: --json\n' : '';
  if (flags.serve) return note + withImports(benchOtherSide({ endpoint, flags }));
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
  return `const SIZE = ${flags.size};
let phase = 'warm-up';
let messages = 0;
${code}
async function open() {
${indented(`${text}${noDelay}return ${name};\n`)}}

const connections = [];
while (connections.length < ${flags.connections}) connections.push(await open());
const running = Promise.all(connections.map(run));
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
