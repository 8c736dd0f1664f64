import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Endpoint, isConnectionless } from '../address/address.ts';
import { formatEndpoint } from '../address/format-address.ts';
import { parseAddress } from '../address/parse-address.ts';
import { addOptionFlag, addSourceFlag, type SocketFlags } from '../channel/socket-settings.ts';
import { serverTls } from '../channel/server-tls.ts';
import { addTlsFlags, loadTls, type TlsFlags, type TlsSettings } from '../channel/tls-flags.ts';
import { CommandError, usageError } from '../command-error.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { reasonOf } from '../explain-error.ts';
import { numberFrom } from '../number-from.ts';
import { benchText } from '../emit/bench-program.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { untilSignalled } from '../serve/until-signalled.ts';
import { type BenchOptions, SCHEDULED_DEPTH } from './bench-options.ts';
import { type BenchMode, MAX_MESSAGE_BYTES, MAX_UDP_BYTES } from './bench-protocol.ts';
import { benchJson, type BenchSubject, benchTable } from './bench-report.ts';
import { openBenchServer } from './bench-server.ts';
import { DATAGRAM_HEADER_BYTES } from './datagram-echo.ts';
import { ProgressLine } from './progress-line.ts';
import { type BenchRun, runBench } from './run-bench.ts';

const DEFAULT_ADDRESS = 'tcp://127.0.0.1:8092';
const MAX_CONNECTIONS = 10_000;
const MAX_DEPTH = 65_536;
const MAX_RATE = 10_000_000;
// setTimeout takes 2^31 - 1 ms.
const MAX_DURATION_MS = 24 * 3_600_000;

const EXAMPLES = `
Examples:
  sockeye bench --serve                                 the other side, on ${DEFAULT_ADDRESS}
  sockeye bench 127.0.0.1:8092                          round trips, one after another
  sockeye bench 127.0.0.1:8092 --connections 50 --depth 16 --size 1000
  sockeye bench 127.0.0.1:8092 --rate 5000 --json       on a schedule, for a script
  sockeye bench --serve udp://127.0.0.1:8092            the other side of the next
  sockeye bench udp://127.0.0.1:8092 --mode send        datagrams, with what was lost
  sockeye bench 127.0.0.1:8092 --emit > bench.mjs       a program that measures the same

echo (the default) works against any server that echoes, whether it greets first or not; send works
against any that reads. The others need --serve on the other side, which the client tells the mode
in a line of text: "sockeye-bench discard" or "sockeye-bench source SIZE".
Latency without --rate is from each send to its answer, and a stalled server holds the next sends
back (coordinated omission); with --rate it is from the time at which each message was due.
Ends with 0, 1 when a connection failed or nothing came, 130 on Ctrl-C, with what was measured.`;

interface Flags extends SocketFlags, TlsFlags {
  readonly serve?: boolean;
  readonly mode: BenchMode;
  readonly size: number;
  readonly connections: number;
  readonly depth?: number;
  readonly rate?: number;
  readonly duration: number;
  readonly warmup: number;
  readonly timeout: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly emit?: boolean;
}

/** Adds `sockeye bench`. */
export function addBenchCommand(program: Command, hooks: ProgramHooks): void {
  const modes = new Option('--mode <mode>', 'what to do').choices(['echo', 'send', 'receive']);
  const command = program
    .command('bench')
    .summary('measure throughput, rate and latency of sockets')
    .description('Measures throughput, rate and latency of TCP, TLS, UDP and Unix sockets.')
    .argument('[address]', 'of the server; with --serve, where to listen')
    .option('--serve', `be the other side (default: ${DEFAULT_ADDRESS})`)
    .addOption(modes.default('echo'))
    .option('--size <bytes>', 'of a message', numberFrom(1, MAX_MESSAGE_BYTES), 64)
    .option('--connections <n>', 'at once', numberFrom(1, MAX_CONNECTIONS), 1)
    .option(
      '--depth <n>',
      `messages under way on each (default: 1, with --rate ${SCHEDULED_DEPTH})`,
      numberFrom(1, MAX_DEPTH),
    )
    .option('--rate <n>', 'messages a second, whatever the answers do', numberFrom(1, MAX_RATE))
    .addOption(spanOption('--duration', 'to measure', 5000))
    .addOption(spanOption('--warmup', 'before that', 500))
    .addOption(spanOption('--timeout', 'until a datagram counts as lost', 1000))
    .option('--json', 'print the result as a JSON object')
    .option('-q, --quiet', 'show no progress')
    .option('--emit', 'print the TypeScript that does the same');
  addSourceFlag(command);
  addOptionFlag(command);
  addTlsFlags(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (address: string | undefined, flags: Flags) =>
      hooks.finish(await bench(address, flags, hooks)),
    );
}

function spanOption(flag: string, what: string, defaultMs: number): Option {
  return new Option(`${flag} <time>`, what)
    .argParser(parseSpan)
    .default(defaultMs, formatDuration(defaultMs));
}

function parseSpan(text: string): number {
  const ms = parseDuration(text);
  if (ms <= MAX_DURATION_MS) return ms;
  throw new InvalidArgumentError('Expected at most 24h.');
}

async function bench(
  address: string | undefined,
  flags: Flags,
  { onListening }: ProgramHooks,
): Promise<number> {
  if (flags.serve) {
    if (flags.source !== undefined) throw usageError('--source is of the client, not of --serve');
    const endpoint = parseAddress(address ?? DEFAULT_ADDRESS);
    const { json = false, quiet = false, option } = flags;
    const settings = loadTls(flags, [endpoint]);
    const tls = endpoint.transport === 'tls' ? serverTls(settings) : undefined;
    if (flags.emit) return emit(endpoint, flags);
    const server = await openBenchServer(endpoint, { json, quiet, settings: option, tls });
    return await untilSignalled(server, onListening);
  }
  if (address === undefined) {
    throw usageError('missing the address of a server; --serve is the other side');
  }
  const endpoint = parseAddress(address);
  const options = optionsFor(endpoint, flags);
  const tls = loadTls(flags, [endpoint]);
  if (flags.emit) return emit(endpoint, flags);
  return await measure(endpoint, { ...options, tls }, flags);
}

function optionsFor(endpoint: Endpoint, flags: Flags): BenchOptions {
  const { mode, size, connections, rate } = flags;
  if (isConnectionless(endpoint.transport)) {
    if (size < DATAGRAM_HEADER_BYTES || size > MAX_UDP_BYTES) {
      const range = `${DATAGRAM_HEADER_BYTES} to ${MAX_UDP_BYTES}`;
      throw usageError(`cannot send datagrams of ${size} bytes: --size is ${range} for them`);
    }
  }
  if (rate !== undefined && mode === 'receive') {
    throw usageError("option '--rate <n>' cannot be used with --mode receive: the server sends");
  }
  if (flags.duration === 0) throw usageError('cannot measure for 0 s: --duration is too short');
  return {
    mode,
    size,
    connections,
    depth: flags.depth ?? (rate === undefined ? 1 : SCHEDULED_DEPTH),
    rate,
    durationMs: flags.duration,
    warmupMs: flags.warmup,
    timeoutMs: flags.timeout,
  };
}

function emit(endpoint: Endpoint, flags: Flags): number {
  process.stdout.write(benchText({ endpoint, flags }));
  return EXIT.ok;
}

async function measure(
  endpoint: Endpoint,
  { tls, ...options }: BenchOptions & { readonly tls: TlsSettings },
  flags: Flags,
): Promise<number> {
  const stop = new AbortController();
  const connect = { source: flags.source, settings: flags.option, signal: stop.signal, tls };
  process.on('SIGINT', () => stop.abort());
  const subject = { ...options, address: formatEndpoint(endpoint) };
  let run: BenchRun;
  {
    using progress = new ProgressLine(process.stderr);
    const onStart = flags.quiet ? undefined : progress.start.bind(progress);
    try {
      run = await runBench(endpoint, { ...options, connect, signal: stop.signal, onStart });
    } catch (error) {
      if (stop.signal.aborted) return EXIT.interrupted;
      throw error;
    }
  }
  const { messages } = run.measurements;
  if (flags.json) process.stdout.write(`${JSON.stringify(benchJson(subject, run))}\n`);
  else if (messages > 0) process.stdout.write(`${benchTable(subject, run)}\n`);
  if (stop.signal.aborted) return EXIT.interrupted;
  checkRun(subject, run);
  return EXIT.ok;
}

/** @throws CommandError where a connection failed, or nothing was measured */
function checkRun({ address, mode }: BenchSubject, { measurements }: BenchRun): void {
  const { failures, firstFailure, messages } = measurements;
  if (failures > 0) {
    const others = failures === 1 ? '' : ` (and ${failures - 1} more connections)`;
    throw new CommandError(`bench of ${address} failed: ${reasonOf(firstFailure)}${others}`);
  }
  if (messages > 0) return;
  const doubt = mode === 'receive' ? 'is it "sockeye bench --serve"?' : 'does it echo?';
  throw new CommandError(`nothing came from ${address}: ${doubt}`);
}
