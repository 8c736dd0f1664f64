import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseAddress } from '../address/parse-address.ts';
import { formatDuration, parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { defaultLimits } from './default-limits.ts';
import type { Behaviour, ServeOptions } from './serve-options.ts';
import { openServing } from './open-serving.ts';
import { untilSignalled } from './until-signalled.ts';

const DEFAULT_ADDRESS = 'tcp://127.0.0.1:8090';

const EXAMPLES = `
Examples:
  sockeye serve                                            echo on ${DEFAULT_ADDRESS}
  sockeye serve :8090 --greeting 'Hello!' --reply 'you said: ' --quit quit
  sockeye serve udp://127.0.0.1:8091 unix:///tmp/echo.sock --idle-timeout none
  sockeye serve 127.0.0.1:0 --port-file port --json        for scripts

Datagrams have no connections: the greeting answers an empty datagram, a datagram that is the
--quit word gets no answer, and every other one gets one.
SIGINT or SIGTERM drains: no new clients, the open ones get --drain, then it ends with 0.`;

interface Flags extends Pick<ServeOptions, 'greeting' | 'quit' | 'portFile' | 'maxConnections'> {
  readonly hello?: string;
  readonly reply?: string;
  readonly chat?: boolean;
  readonly random?: boolean;
  readonly discard?: boolean;
  readonly idleTimeout: number;
  readonly firstByteTimeout: number;
  readonly writeTimeout: number;
  readonly drain: number;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
}

/** Adds `sockeye serve`. */
export function addServeCommand(program: Command, hooks: ProgramHooks): void {
  const limits = defaultLimits();
  const command = program
    .command('serve')
    .summary('run a server for many clients at once')
    .description('Runs a server for many clients at once. Without further options it echoes.')
    .argument('[address...]', `where to listen (default: ${DEFAULT_ADDRESS})`);
  for (const option of behaviourOptions()) command.addOption(option);
  command
    .option('--greeting <text>', 'send this line to each client that connects')
    .option('--quit <word>', 'end a client’s session when it sends this word', parseWord)
    .addOption(countOption('--max-connections <n>', 'clients at once', limits.maxConnections))
    .addOption(
      durationOption('--first-byte-timeout', 'for the first byte', limits.firstByteTimeoutMs),
    )
    .addOption(durationOption('--idle-timeout', 'without a byte', limits.idleTimeoutMs))
    .addOption(
      durationOption('--write-timeout', 'a client may take nothing', limits.writeTimeoutMs),
    )
    .addOption(durationOption('--drain', 'for open clients at the end', limits.drainTimeoutMs))
    .option('--port-file <file>', 'write the port here once it listens, one line an address')
    .option('--json', 'print events as JSON objects, one a line, on stdout')
    .option('-q, --quiet', 'print nothing but errors')
    .option('-v, --verbose', 'tell of each client that comes and goes')
    .addHelpText('after', EXAMPLES)
    .action(async (addresses: string[], flags: Flags) =>
      hooks.finish(await serve(addresses, flags, hooks)),
    );
}

function behaviourOptions(): Option[] {
  const options = [
    new Option('--echo', 'send everything back (the default)'),
    new Option('--reply <prefix>', 'send everything back, each piece after this prefix'),
    new Option('--hello <text>', 'send this line and close'),
    new Option('--chat', 'send each line to all other clients'),
    new Option('--random', 'send random bytes'),
    new Option('--discard', 'take everything and send nothing'),
  ];
  const names = options.map((option) => option.attributeName());
  // --reply is an echo with something before it.
  const goTogether = new Set(['echo', 'reply']);
  return options.map((option) => {
    const own = option.attributeName();
    return option.conflicts(
      names.filter((name) => name !== own && !(goTogether.has(own) && goTogether.has(name))),
    );
  });
}

function durationOption(flag: string, what: string, defaultMs: number): Option {
  return new Option(`${flag} <time>`, `time ${what}: 10s, 500ms, 5m, none`)
    .argParser(parseDuration)
    .default(defaultMs, formatDuration(defaultMs));
}

function countOption(flags: string, what: string, defaultCount: number): Option {
  return new Option(flags, what).default(defaultCount).argParser((text) => {
    if (!/^[1-9]\d{0,8}$/.test(text))
      throw new InvalidArgumentError('Expected a number from 1 on.');
    return Number(text);
  });
}

function parseWord(text: string): string {
  if (text === '' || /[\r\n]/.test(text)) {
    throw new InvalidArgumentError('Expected a word without newlines.');
  }
  return text;
}

function behaviourOf({ hello, reply, chat, random, discard }: Flags): Behaviour {
  if (hello !== undefined) return { kind: 'hello', text: hello };
  if (chat) return { kind: 'chat' };
  if (random) return { kind: 'random' };
  if (discard) return { kind: 'discard' };
  return { kind: 'echo', prefix: reply };
}

async function serve(
  addresses: readonly string[],
  flags: Flags,
  { onListening }: ProgramHooks,
): Promise<number> {
  const endpoints = (addresses.length === 0 ? [DEFAULT_ADDRESS] : addresses).map(parseAddress);
  const serving = await openServing(endpoints, {
    ...flags,
    behaviour: behaviourOf(flags),
    firstByteTimeoutMs: flags.firstByteTimeout,
    idleTimeoutMs: flags.idleTimeout,
    writeTimeoutMs: flags.writeTimeout,
    drainTimeoutMs: flags.drain,
    json: flags.json ?? false,
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
  });
  await untilSignalled(serving, onListening);
  return EXIT.ok;
}
