import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { explainConnection, listSockets, type ListedSocket } from '@sockeye/net/capture';
import { CommandError } from '../command-error.ts';
import { parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { LineOutput } from './line-output.ts';

const EXAMPLES = `
Examples:
  sockeye explain 127.0.0.1:8090         every connection from or to an address
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
    .option('--for <time>', 'how long to watch (default: 1s)', parseDuration, DEFAULT_MS)
    .option('--json', 'print JSON objects, one a line')
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: Flags) => hooks.finish(await explain(address, flags)));
}

async function explain(address: string, flags: Flags): Promise<number> {
  const before = new Map((await connections(address)).map((socket) => [keyOf(socket), socket]));
  if (before.size === 0) throw new CommandError(`no TCP connection with ${address}`);
  await sleep(Math.min(flags.for, 3_600_000));
  const output = new LineOutput();
  for (const socket of await connections(address)) tell(output, socket, before, flags);
  await output.flush();
  return EXIT.ok;
}

function tell(
  output: LineOutput,
  socket: ListedSocket,
  before: ReadonlyMap<string, ListedSocket>,
  { json }: Flags,
): void {
  const { local, peer, tcpInfo, sendQueue } = socket;
  if (tcpInfo === undefined) return;
  const earlier = before.get(keyOf(socket))?.tcpInfo;
  const watched = explainConnection(tcpInfo, { before: earlier, sendQueue });
  // Silent while it was watched: then its whole life is what there is to tell.
  const found =
    watched.limit === 'nothing sent' ? explainConnection(tcpInfo, { sendQueue }) : watched;
  if (json) output.object({ type: 'explanation', local, peer, ...found });
  else output.line(`${local} → ${peer}: ${found.sentence}`);
}

async function connections(address: string): Promise<ListedSocket[]> {
  const words = address.replace(/^tcp:\/\//, '').split(',');
  const all = await listSockets({ families: ['inet', 'inet6'], owners: false });
  return all.filter(
    ({ type, state, local, peer }) =>
      type === 'tcp' &&
      state !== 'LISTEN' &&
      words.every((word) => matches(word, local) || matches(word, peer)),
  );
}

function matches(word: string, address: string): boolean {
  return word.startsWith(':') ? address.endsWith(word) : address === word;
}

function keyOf({ local, peer }: ListedSocket): string {
  return `${local} ${peer}`;
}
