import { type Command, InvalidArgumentError } from 'commander';
import { type CaptureFile, readCapture } from '@sockeye/net/capture';
import { type CaptureItem, CaptureFileError, type PacketItem } from '@sockeye/net/dissect';
import { CommandError, usageError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { counted } from '../text/counted.ts';
import { LineOutput } from './line-output.ts';
import { checkOtherFile, openCaptureFile } from './open-capture-file.ts';
import { PacketFilter } from './packet-filter.ts';
import { collectLayer, dissectorWith, parseDecodeAs } from './own-layers.ts';
import { PacketReport } from './packet-report.ts';
import { readArguments, type ReadFlags } from './read-options.ts';
import { writeSequenceFiles } from './sequence-files.ts';

const EXAMPLES = `
Examples:
  sockeye read trace.pcapng                              one line a packet
  sockeye read trace.pcapng tcp port 80 --layers         every field of every layer
  sockeye read trace.pcapng --sequence handshake.svg     TCP connections, drawn
  sockeye read trace.pcapng --conversations --json       for a program
  tcpdump -w - | sockeye read -                          from a pipe

Reads pcap and pcapng. Filters are pcap-filter(7)'s: host, net, port, tcp, udp, icmp, arp, vlan,
tcp[tcpflags] & tcp-syn != 0, less, greater, and, or, not. Ends with 0, with 1 where the file is
cut or wrong, with 2 where the filter is.`;

/** Adds `sockeye read`. */
export function addReadCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('read')
    .summary('show the packets of a pcap or pcapng file')
    .description('Shows the packets of a capture: in lines, layer by layer, as conversations.')
    .argument('[file]', 'pcap or pcapng; - is stdin')
    .argument('[filter...]', "pcap-filter(7)'s language")
    .option('--json', 'print JSON objects, one a line')
    .option('--layers', 'print every field of every layer, and the bytes')
    .option(
      '--decode-as <where=number:protocol>',
      'read a port as a protocol: tcp.port=8090:websocket',
      parseDecodeAs,
    )
    .option('--layer <file>', "a module with a layer of one's own", collectLayer)
    .option('--follow', 'print what TCP connections carried, in order')
    .option('--conversations', 'print who talked with whom, handshakes and closes')
    .option('--sequence [file.svg]', 'draw TCP connections, in the terminal or to a file')
    .option('--write <file>', 'keep the packets that pass: pcapng, or pcap where the name says so')
    .option('-c, --count <n>', 'end after this many packets that pass', parseCount)
    .option('-q, --quiet', 'print nothing a packet')
    .addHelpText('after', EXAMPLES)
    .action(async (_file: unknown, _filter: unknown, flags: ReadFlags, command: Command) => {
      const typed = process.argv;
      hooks.finish(await readPackets(command.args, flags, typed));
    });
}

/** A number of packets from the command line. */
export function parseCount(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Expected a number of packets, at least 1.');
}

async function readPackets(
  words: readonly string[],
  flags: ReadFlags,
  typed: readonly string[],
): Promise<number> {
  const { file, filter: text, svg } = readArguments(words, flags.sequence, typed);
  const filter = new PacketFilter(text);
  const dissect = await dissectorWith(flags);
  const { write } = flags;
  if (write === '-' && flags.json) throw usageError('--write - and --json both want stdout');
  if (write !== undefined) checkOtherFile(file, write);
  const kept = write === undefined ? undefined : await openCaptureFile(write);
  const output = new LineOutput();
  const report = new PacketReport(
    {
      json: flags.json ?? false,
      layers: flags.layers ?? false,
      follow: flags.follow ?? false,
      conversations: flags.conversations ?? false,
      sequence: flags.sequence !== undefined && svg === undefined,
      svg,
      // As tcpdump: a capture that is kept isn't shown unless that is asked for.
      quiet:
        flags.quiet ?? (!flags.json && !flags.layers && (kept !== undefined || svg !== undefined)),
    },
    output,
    dissect,
  );
  const stop = new AbortController();
  const onInterrupt = (): void => stop.abort();
  process.once('SIGINT', onInterrupt);
  try {
    const pass = new ReadPass(filter, report, kept, flags.count);
    const failure = await run(pass, { file, output, kept, signal: stop.signal });
    report.end();
    await output.flush();
    await kept?.close();
    if (svg !== undefined) await draw(svg, report);
    if (report.forgotten > 0) {
      const forgotten = counted(report.forgotten, 'conversation');
      process.stderr.write(`sockeye: ${forgotten} too many to keep\n`);
    }
    if (failure !== undefined) throw failure;
    return stop.signal.aborted ? EXIT.interrupted : EXIT.ok;
  } finally {
    process.off('SIGINT', onInterrupt);
    await kept?.close().catch(() => undefined);
  }
}

interface RunContext {
  readonly file: string;
  readonly output: LineOutput;
  readonly kept: CaptureFile | undefined;
  readonly signal: AbortSignal;
}

/** Reads to the end. What is wrong with the file is given back: what was read before it counts. */
async function run(pass: ReadPass, context: RunContext): Promise<CommandError | undefined> {
  const { file, output, kept, signal } = context;
  const source = file === '-' ? 0 : file;
  try {
    for await (const items of readCapture(source, { signal })) {
      for (const item of items) {
        if (!pass.take(item)) return undefined;
        if (output.isFull) await output.flush();
        if (kept?.isFull === true) await kept.flush();
        if (signal.aborted) return undefined;
      }
      await output.flush();
    }
    return undefined;
  } catch (error) {
    if (error instanceof CommandError) throw error;
    if (error instanceof CaptureFileError) {
      const problem = error.message.replace('Cannot read capture file: ', '');
      return new CommandError(`cannot read ${file}: ${problem}`);
    }
    if (error instanceof RangeError) throw new CommandError(error.message);
    const reason = `cannot read ${file}: ${reasonOf(error)}`;
    throw new CommandError(reason, undefined, { cause: error });
  }
}

/** One pass over a file: which packets pass, and what becomes of them. */
class ReadPass {
  readonly #filter: PacketFilter;
  readonly #report: PacketReport;
  readonly #kept: CaptureFile | undefined;
  readonly #count: number;
  #interfaces: (string | undefined)[] = [];
  #number = 0;
  #passed = 0;

  constructor(
    filter: PacketFilter,
    report: PacketReport,
    kept: CaptureFile | undefined,
    count = Number.POSITIVE_INFINITY,
  ) {
    this.#filter = filter;
    this.#report = report;
    this.#kept = kept;
    this.#count = count;
  }

  /** False when there were enough. */
  take(item: CaptureItem): boolean {
    if (item.type === 'packet') return this.#packet(item);
    if (item.type === 'section') this.#interfaces = [];
    if (item.type === 'interface') this.#interfaces[item.id] = item.name;
    this.#kept?.write(item);
    return true;
  }

  #packet(item: PacketItem): boolean {
    this.#number++;
    if (!this.#filter.passes(item)) return true;
    this.#kept?.write(item);
    this.#report.packet(item, this.#number, this.#interfaces[item.interfaceId]);
    this.#passed++;
    return this.#passed < this.#count;
  }
}

async function draw(svg: string, report: PacketReport): Promise<void> {
  const conversations = report.tcpConversations;
  if (conversations.length === 0) throw new CommandError('no TCP connection to draw');
  const paths = await writeSequenceFiles(svg, conversations);
  for (const path of paths) process.stderr.write(`drawn ${path}\n`);
}
