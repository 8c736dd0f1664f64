import { isIP } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import {
  explainConnection,
  listSockets,
  type ListedSocket,
  type TcpSample,
} from '@sockeye/net/capture';
import { formatEndpoint } from '../address/format-address.ts';
import { resolveEndpoint } from '../address/resolve-endpoint.ts';
import { CommandError, usageError } from '../command-error.ts';
import { parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { LineOutput } from './line-output.ts';

const EXAMPLES = `
Examples:
  sockeye explain 127.0.0.1:8090         every connection from or to an address
  sockeye explain example.com:443        a name is looked up: with any of its addresses
  sockeye explain :8090 --for 2s         what limited them in the next two seconds
  sockeye explain 127.0.0.1:40000,127.0.0.1:8090

Says for each TCP connection what holds back what this end sends: the application, the receiver's
window, the send buffer, loss, the network, or Nagle's algorithm with delayed ACKs.`;

interface Flags {
  readonly json?: boolean;
  readonly for: number;
}

const DEFAULT_MS = 1000;

/** Adds `sockeye explain`. */
export function addExplainCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('explain')
    .summary('say in a sentence what limits a TCP connection')
    .description("Says what limits a TCP connection, with the kernel's figures behind it.")
    .argument('<address>', 'host:port, :port, or local,peer')
    .addOption(
      new Option('--for <time>', 'how long to watch')
        .argParser(parseDuration)
        .default(DEFAULT_MS, '1s'),
    )
    .option('--json', 'print JSON objects, one a line')
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: Flags) => hooks.finish(await explain(address, flags)));
}

// Often enough to see what is held back for the 40 ms of a delayed ACK, seldom enough to cost little.
const SAMPLE_MS = 20;
const MOST_SAMPLES = 500;

async function explain(address: string, flags: Flags): Promise<number> {
  const words = address.replace(/^tcp:\/\//, '').split(',');
  const ends = await Promise.all(words.map((word) => endOf(word, address)));
  const watched = await watch(address, ends, Math.min(flags.for, 3_600_000));
  const output = new LineOutput();
  for (const { socket, samples } of watched.values()) {
    const { local, peer } = socket;
    const found = explainConnection(samples);
    if (flags.json) output.object({ type: 'explanation', local, peer, ...found });
    else output.line(`${local} → ${peer}: ${found.sentence}`);
  }
  await output.flush();
  return EXIT.ok;
}

interface Watched {
  readonly socket: ListedSocket;
  readonly samples: TcpSample[];
}

/** Asks the kernel again and again; a connection that ends meanwhile keeps what it had. */
async function watch(
  address: string,
  ends: readonly End[],
  forMs: number,
): Promise<ReadonlyMap<string, Watched>> {
  const watched = new Map<string, Watched>();
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  const everyMs = Math.max(SAMPLE_MS, forMs / MOST_SAMPLES);
  const end = performance.now() + forMs;
  try {
    for (;;) {
      for (const socket of await connections(ends)) add(watched, socket);
      if (watched.size === 0) throw new CommandError(`no TCP connection with ${address}`);
      const left = end - performance.now();
      if (left <= 0 || stop.signal.aborted) return watched;
      const wait = Math.min(everyMs, left);
      await sleep(wait, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

function add(watched: Map<string, Watched>, socket: ListedSocket): void {
  const { local, peer, tcpInfo, memory } = socket;
  if (tcpInfo === undefined) return;
  const key = `${local} ${peer}`;
  const known = watched.get(key) ?? { socket, samples: [] };
  known.samples.push({ atMs: performance.now(), info: tcpInfo, memory });
  watched.set(key, known);
}

/** An end of a connection: `:port`, or any of these addresses. */
type End = readonly string[];

async function connections(ends: readonly End[]): Promise<ListedSocket[]> {
  const all = await listSockets({ families: ['inet', 'inet6'], types: ['tcp'], owners: false });
  return all.filter(
    ({ state, local, peer }) =>
      state !== 'LISTEN' && ends.every((end) => matches(end, local) || matches(end, peer)),
  );
}

/**
 * What the kernel tells is compared with it: numbers. A name stands for all of its addresses.
 *
 * @throws CommandError for a word that is no end, and for a name that nobody knows
 */
async function endOf(word: string, address: string): Promise<End> {
  const [, bracketed, plain = '', port] =
    /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(word) ?? [];
  const host = bracketed ?? plain;
  if (port !== undefined && Number(port) < 65_536) {
    if (word.startsWith(':') || isIP(host.replace(/%.*$/, '')) !== 0) return [word];
    if (bracketed === undefined) return await named(host, Number(port));
  }
  throw usageError(
    `cannot explain ${address}: expected an end of a TCP connection, 127.0.0.1:8090, [::1]:8090, example.com:443 or :8090, or both ends, local,peer`,
  );
}

async function named(host: string, port: number): Promise<End> {
  const targets = await resolveEndpoint({ transport: 'tcp', host, port }, 'client');
  return targets.flatMap(({ address }) =>
    'host' in address
      ? formatEndpoint({ transport: 'tcp', host: address.host, port }).replace('tcp://', '')
      : [],
  );
}

function matches(end: End, address: string): boolean {
  return end.some((one) => (one.startsWith(':') ? address.endsWith(one) : address === one));
}
