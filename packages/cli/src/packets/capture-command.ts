import { type Command, InvalidArgumentError, Option } from 'commander';
import { Capture, type CaptureFile, dropCaptureCapabilities } from '@sockeye/net/capture';
import { FilterError } from '@sockeye/net/dissect';
import { CommandError, usageError } from '../command-error.ts';
import { parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { reasonOf } from '../explain-error.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { CaptureRun } from './capture-run.ts';
import { LineOutput } from './line-output.ts';
import { openCaptureFile } from './open-capture-file.ts';
import { collectLayer, type DecodeTable, dissectorWith, parseDecodeAs } from './own-layers.ts';
import { PacketReport } from './packet-report.ts';
import { parseSize } from './parse-size.ts';
import { parseCount } from './read-command.ts';
import { writeSequenceFiles } from './sequence-files.ts';

const MAX_SNAP_LENGTH = 262_144;

const EXAMPLES = `
Examples:
  sockeye capture -i lo tcp port 8090                     one line a packet, until Ctrl-C
  sockeye capture -i lo --layers -c 1 icmp                every field of one packet
  sockeye capture --write trace.pcapng --duration 10s     ten seconds of all interfaces
  sockeye capture -i eth0 --write ring.pcapng --rotate-size 100M --files 5

Filters are pcap-filter(7)'s and run in the kernel. At the end stderr says how many packets were
captured and how many the kernel dropped. Opening needs CAP_NET_RAW (root, or once
"setcap cap_net_raw+ep" on node); it is given up before the first packet is read. Files are the
owner's alone. Ends with 0, on Ctrl-C too.`;

interface Flags {
  readonly interface: string;
  readonly json?: boolean;
  readonly layers?: boolean;
  readonly decodeAs?: DecodeTable;
  readonly layer?: readonly string[];
  readonly follow?: boolean;
  readonly conversations?: boolean;
  readonly sequence?: string | true;
  readonly write?: string;
  readonly count?: number;
  readonly duration?: number;
  readonly snapLength: number;
  readonly direction: 'in' | 'out' | 'inout';
  readonly promiscuous?: boolean;
  readonly buffer: number;
  readonly rotateSize?: number;
  readonly rotateTime?: number;
  readonly files?: number;
  readonly quiet?: boolean;
}

/** Adds `sockeye capture`. */
export function addCaptureCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('capture')
    .summary('show or keep the packets of a network interface')
    .description('Captures packets: shows them as they come, or keeps them in a file.')
    .argument('[filter...]', "pcap-filter(7)'s language")
    .option('-i, --interface <name>', 'a network interface, or any', 'any')
    .option('--json', 'print JSON objects, one a line')
    .option('--layers', 'print every field of every layer, and the bytes')
    .option(
      '--decode-as <where=number:protocol>',
      'read a port as a protocol: tcp.port=8090:websocket',
      parseDecodeAs,
    )
    .option('--layer <file>', "a module with a layer of one's own", collectLayer)
    .option('--follow', 'print what TCP connections carry, in order')
    .option('--conversations', 'print at the end who talked with whom')
    .option(
      '--sequence [file.svg]',
      'draw TCP connections at the end, in the terminal or to a file',
    )
    .option(
      '-w, --write <file>',
      'keep the packets: pcapng, or pcap where the name says so; - is stdout',
    )
    .option('-c, --count <n>', 'end after this many packets', parseCount)
    .option('--duration <time>', 'end after this time: 10s, 5m', parseDuration)
    .option('--snap-length <bytes>', 'kept of a packet', parseSnapLength, MAX_SNAP_LENGTH)
    .addOption(
      new Option('--direction <which>', 'packets that come in, leave, or both')
        .choices(['in', 'out', 'inout'])
        .default('inout'),
    )
    .option('--promiscuous', 'see packets for other stations too')
    .addOption(
      new Option('--buffer <size>', 'memory for packets that wait')
        .argParser(parseSize)
        .default(32 * 1024 ** 2, '32M'),
    )
    .option('--rotate-size <size>', 'begin another file before one exceeds this: 100M', parseSize)
    .option('--rotate-time <time>', 'begin another file after this time: 60s', parseDuration)
    .option('--files <n>', 'keep the newest so many files', parseCount)
    .option('-q, --quiet', 'print nothing a packet')
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], flags: Flags) => hooks.finish(await capture(words, flags)));
}

function parseSnapLength(text: string): number {
  const bytes = parseSize(text);
  if (bytes <= MAX_SNAP_LENGTH) return bytes;
  throw new InvalidArgumentError(`Expected at most ${MAX_SNAP_LENGTH} bytes.`);
}

async function capture(words: readonly string[], flags: Flags): Promise<number> {
  const { sequence, write } = flags;
  if (write === '-' && flags.json) throw usageError('--write - and --json both want stdout');
  const isPicture = typeof sequence === 'string' && sequence.endsWith('.svg');
  const swallowed = typeof sequence === 'string' && !isPicture ? [sequence] : [];
  const svg = isPicture ? sequence : undefined;
  const dissect = await dissectorWith(flags);
  using source = open([...swallowed, ...words].join(' '), flags);
  dropCaptureCapabilities();
  const kept = write === undefined ? undefined : await openCaptureFile(write, rotation(flags));
  const output = new LineOutput();
  const report = new PacketReport(
    {
      json: flags.json ?? false,
      layers: flags.layers ?? false,
      follow: flags.follow ?? false,
      conversations: flags.conversations ?? false,
      sequence: sequence !== undefined && svg === undefined,
      svg,
      quiet:
        flags.quiet ?? (!flags.json && !flags.layers && (kept !== undefined || svg !== undefined)),
    },
    output,
    dissect,
  );
  const run = new CaptureRun(source, { report, output, kept, count: flags.count });
  await untilStopped(run, flags.duration, kept);
  if (svg !== undefined) {
    const paths = await writeSequenceFiles(svg, report.tcpConversations);
    for (const path of paths) process.stderr.write(`drawn ${path}\n`);
  }
  return EXIT.ok;
}

function rotation({ rotateSize, rotateTime, files }: Flags) {
  return {
    ...(rotateSize === undefined ? {} : { maxFileBytes: rotateSize }),
    ...(rotateTime === undefined ? {} : { maxFileSeconds: rotateTime / 1000 }),
    ...(files === undefined ? {} : { maxFiles: files }),
  };
}

function open(filter: string, flags: Flags): Capture {
  try {
    return new Capture({
      interface: flags.interface,
      filter,
      snapLength: flags.snapLength,
      direction: flags.direction,
      promiscuous: flags.promiscuous ?? false,
      bufferBytes: flags.buffer,
    });
  } catch (error) {
    if (error instanceof FilterError || error instanceof RangeError) {
      throw usageError(error.message);
    }
    const message = `cannot capture on ${flags.interface}: ${reasonOf(error)}`;
    throw new CommandError(message, undefined, { cause: error });
  }
}

/** Captures until there are enough packets, the time is up, or SIGINT or SIGTERM says so. */
async function untilStopped(
  run: CaptureRun,
  durationMs: number | undefined,
  kept: CaptureFile | undefined,
): Promise<void> {
  const onSignal = (): void => run.stop();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  const timer =
    durationMs === undefined || durationMs === Number.POSITIVE_INFINITY
      ? undefined
      : setTimeout(onSignal, durationMs);
  try {
    await run.run();
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError(`capture failed: ${reasonOf(error)}`, undefined, { cause: error });
  } finally {
    clearTimeout(timer);
    for (const signal of signals) process.off(signal, onSignal);
    await kept?.close().catch(() => undefined);
  }
}
