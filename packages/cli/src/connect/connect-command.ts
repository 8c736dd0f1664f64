import { fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { type Command, InvalidArgumentError } from 'commander';
import { parseAddress } from '../address/parse-address.ts';
import { CommandError } from '../command-error.ts';
import { parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import type { ConnectOptions } from './connect-options.ts';
import { Output } from './output.ts';
import { connectPeer, type Peer } from './peer.ts';
import { pipe } from './pipe.ts';
import { converse } from './terminal.ts';

// Arbitrary: how long the reader of stdout may take for the last piece after Ctrl-C.
const LAST_WRITE_MS = 100;

const EXAMPLES = `
Examples:
  sockeye connect 127.0.0.1:8090                       talk to a server, line by line
  printf 'hello\\n' | sockeye connect 127.0.0.1:8090    send, print the answer, end
  sockeye connect udp://127.0.0.1:8091 --quit exit     a datagram a line
  sockeye connect unix:///tmp/echo.sock < in > out     through a Unix socket

Ends with 0 when the peer has closed and stdin has ended (a terminal need not: the peer's end is
enough), 1 when the network says no, 124 when --timeout runs out, 130 on Ctrl-C.
With udp:// and unix-dgram:// it ends within 10 s of stdin's end.`;

/** Adds `sockeye connect`. */
export function addConnectCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('connect')
    .summary('talk to a server: stdin to the socket, the socket to stdout')
    .description(
      'Connects stdin and stdout to a server. On a terminal lines can be edited and recalled.',
    )
    .argument('<address>', 'where to connect to')
    .option('--quit <word>', 'end when this word comes from stdin', parseWord)
    .option('--no-shutdown', 'do not tell the peer that stdin has ended')
    .option(
      '--timeout <time>',
      'give up after this time without an answer or a byte: 10s, 500ms, 5m',
      parseTimeout,
    )
    .option('-q, --quiet', 'print nothing but data and errors')
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, options: ConnectOptions) =>
      hooks.finish(await connect(address, options)),
    );
}

function parseTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('Expected more than 0.');
}

function parseWord(text: string): string {
  if (text !== '' && !/[\r\n]/.test(text)) return text;
  throw new InvalidArgumentError('Expected a word without newlines.');
}

async function connect(address: string, options: ConnectOptions): Promise<number> {
  // Node reads a directory as if it were empty.
  if (fstatSync(0).isDirectory()) throw new CommandError('cannot read stdin: it is a directory');
  using peer = await connectPeer(parseAddress(address), options.timeout);
  return await run(peer, options);
}

function run(peer: Peer, options: ConnectOptions): Promise<number> {
  const { stdin, stdout } = process;
  if (stdin.isTTY && stdout.isTTY && process.env['TERM'] !== 'dumb') {
    return converse({ peer, input: stdin, output: stdout }, options);
  }
  const output = new Output(1);
  process.once('SIGINT', () => void interrupt(output));
  return pipe({ peer, input: stdin, output, isTerminal: stdout.isTTY }, options);
}

async function interrupt(output: Output): Promise<void> {
  const isStuck = sleep(LAST_WRITE_MS, true);
  const isDone = output.writing?.then(
    () => false,
    () => false,
  );
  // Node waits at its exit for a write that a full pipe holds up; the signal doesn't.
  if (await Promise.race([isStuck, isDone ?? false])) process.kill(process.pid, 'SIGINT');
  else process.exit(EXIT.interrupted);
}
