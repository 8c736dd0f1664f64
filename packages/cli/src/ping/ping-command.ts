import { type Command, InvalidArgumentError } from 'commander';
import { formatDuration, parseDuration } from '../duration.ts';
import { addOptionFlag, type OptionSetting } from '../channel/socket-settings.ts';
import { CommandError } from '../command-error.ts';
import { pingText } from '../emit/ping-program.ts';
import { EXIT } from '../exit-code.ts';
import { numberFrom } from '../number-from.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { PingReporter } from './ping-reporter.ts';
import { ping } from './pinger.ts';
import { resolveHost } from './resolve-host.ts';

// 65,535 bytes of an IPv4 packet less its header and ICMP's; an IPv6 packet's length doesn't count
// its header.
const MAX_SIZE = { 4: 65_507, 6: 65_527 } as const;
const DEFAULT_SIZE = 56;
const DEFAULT_TIMEOUT_MS = 10_000;
// iputils' bound for everybody but root: 500 requests a second harm nobody.
const MIN_INTERVAL_MS = 2;

const EXAMPLES = `
Examples:
  sockeye ping example.com              once a second, until Ctrl-C
  sockeye ping -c 3 -i 200ms ::1        three requests, five a second
  sockeye ping -c 5 -q --json 10.0.0.1  only numbers, for a script

Ends with 0 when there were replies, 1 when there were none. Round trips are from the kernel's time
of sending to its time of arrival. Needs a group in net.ipv4.ping_group_range, or CAP_NET_RAW.`;

interface Flags {
  readonly source?: string;
  readonly option?: readonly OptionSetting[];
  readonly ipv4?: boolean;
  readonly ipv6?: boolean;
  readonly count?: number;
  readonly interval: number;
  readonly size: number;
  readonly ttl?: number;
  readonly timeout: number;
  readonly quiet?: boolean;
  readonly json?: boolean;
  readonly emit?: boolean;
}

/** Adds `sockeye ping`. */
export function addPingCommand(program: Command, hooks: ProgramHooks): void {
  const command = program.command('ping');
  command
    .summary('ask a host for ICMP echoes')
    .description('Sends ICMP echo requests and shows what comes back, and how long it took.')
    .argument('<host>', 'a name or an address')
    .addOption(command.createOption('-4, --ipv4', 'IPv4 only').conflicts('ipv6'))
    .option('-6, --ipv6', 'IPv6 only')
    .option('-c, --count <n>', 'end after this many requests', numberFrom(1, 999_999_999))
    .addOption(
      command
        .createOption('-i, --interval <time>', 'between requests: 1, 200ms')
        .argParser(parseInterval)
        .default(1000, '1s'),
    )
    .option('-s, --size <bytes>', 'of data in a request', numberFrom(0, MAX_SIZE[6]), DEFAULT_SIZE)
    .option('-t, --ttl <hops>', 'that a request may take', numberFrom(1, 255))
    .addOption(
      command
        .createOption('-W, --timeout <time>', 'to wait for a first reply after the last request')
        .argParser(parseDuration)
        .default(DEFAULT_TIMEOUT_MS, formatDuration(DEFAULT_TIMEOUT_MS)),
    )
    .option('-q, --quiet', 'print the statistics only')
    .option('--json', 'print JSON objects, one a line')
    .option('--source <address>', 'send from this address');
  addOptionFlag(command);
  command
    .option('--emit', 'print the TypeScript that does the same, and ping’s line')
    .addHelpText('after', EXAMPLES)
    .action(async (host: string, flags: Flags) => hooks.finish(await run(host, flags)));
}

function parseInterval(text: string): number {
  const ms = parseDuration(text);
  if (ms >= MIN_INTERVAL_MS && Number.isFinite(ms)) return ms;
  throw new InvalidArgumentError(`Expected at least ${MIN_INTERVAL_MS}ms.`);
}

function versionOf({ ipv4, ipv6 }: Flags): 4 | 6 | undefined {
  if (ipv4) return 4;
  return ipv6 ? 6 : undefined;
}

async function run(host: string, flags: Flags): Promise<number> {
  const target = await resolveHost(host, versionOf(flags));
  const { size, ttl } = flags;
  if (size > MAX_SIZE[target.version]) {
    const limit = MAX_SIZE[target.version];
    throw new CommandError(`cannot send ${size} bytes: the most is ${limit}`, EXIT.usage);
  }
  if (flags.emit) {
    process.stdout.write(pingText({ host, version: target.version, flags }));
    return EXIT.ok;
  }
  const options = { size, json: flags.json ?? false, quiet: flags.quiet ?? false };
  const reporter = new PingReporter(target, options);
  const stop = new AbortController();
  let isReaderGone = false;
  process.on('SIGINT', () => stop.abort());
  process.on('SIGTERM', () => stop.abort());
  process.stdout.on('error', () => {
    isReaderGone = true;
    stop.abort();
  });
  const statistics = await ping(target, {
    ...options,
    version: target.version,
    count: flags.count ?? Number.POSITIVE_INFINITY,
    intervalMs: flags.interval,
    ttl,
    source: flags.source,
    settings: flags.option,
    timeoutMs: flags.timeout,
    reporter,
    signal: stop.signal,
  });
  if (isReaderGone) return EXIT.brokenPipe;
  reporter.finish(statistics);
  return statistics.received > 0 ? EXIT.ok : EXIT.failed;
}
