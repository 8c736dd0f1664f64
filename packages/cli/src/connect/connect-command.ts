import { SocketError } from '@sockeye/net';
import type { Command } from 'commander';
import type { Endpoint } from '../address/address.ts';
import { formatAddress, formatEndpoint } from '../address/format-address.ts';
import { parseAddress } from '../address/parse-address.ts';
import type { Channel } from '../channel/channel.ts';
import { openChannel } from '../channel/open-channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';
import { addOptionFlag, addSourceFlag, type SocketFlags } from '../channel/socket-settings.ts';
import { TlsChannel } from '../channel/tls-channel.ts';
import { addTlsFlags, addUnexpectedEofFlag, loadTls, type TlsFlags } from '../channel/tls-flags.ts';
import { CommandError } from '../command-error.ts';
import { addEmitFlag, emit } from '../emit/emit.ts';
import { checkFiles } from './check-files.ts';
import { EXIT } from '../exit-code.ts';
import { explainError } from '../explain-error.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { isInteractive, joinStdio, type StdioOptions } from './join-stdio.ts';
import { addStdioFlags, addTimeoutFlag } from './stdio-flags.ts';
import { type TlsHint, tlsHint } from './tls-hint.ts';

// Arbitrary: how long a refusal (ICMP, "port unreachable") or an answer may take.
const PROBE_MS = 1000;

const EXAMPLES = `
Examples:
  sockeye connect 127.0.0.1:8090                       talk to a server, line by line
  printf 'hello\\n' | sockeye connect 127.0.0.1:8090    send, print the answer, end
  sockeye connect udp://127.0.0.1:8091 --quit exit     a datagram a line
  sockeye connect unix:///tmp/echo.sock < in > out     through a Unix socket
  sockeye connect tls://example.com:443 --crlf         encrypted, its certificate checked

Ends with 0 when the peer has closed and stdin has ended (a terminal need not: the peer's end is
enough), 1 when the network says no, 124 when --timeout runs out, 130 on Ctrl-C.
With udp:// and unix-dgram:// it ends within 10 s of stdin's end, with 0 whatever came.`;

interface Flags extends StdioOptions, TlsFlags, SocketFlags {
  readonly emit?: boolean;
  readonly probe?: boolean;
  readonly verbose?: boolean;
}

/** Adds `sockeye connect`. */
export function addConnectCommand(program: Command, hooks: ProgramHooks): void {
  const command = program
    .command('connect')
    .summary('talk to a server: stdin to the socket, the socket to stdout')
    .description(
      'Connects stdin and stdout to a server. On a terminal lines can be edited and recalled.',
    )
    .argument('<address>', 'where to connect to');
  command.option(
    '--probe',
    'connect and end at once: the exit status tells whether somebody is there; of udp:// (an empty datagram) only that nobody is',
  );
  addStdioFlags(command);
  command.option('-v, --verbose', 'say on stderr where it is connected, and what silence may mean');
  addTimeoutFlag(command, 'give up after this time without an answer or a byte');
  addSourceFlag(command);
  addOptionFlag(command);
  addTlsFlags(command);
  addUnexpectedEofFlag(command);
  addEmitFlag(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: Flags) => hooks.finish(await connect(address, flags)));
}

async function connect(address: string, flags: Flags): Promise<number> {
  const endpoint = parseAddress(address);
  const tls = loadTls(flags, [endpoint]);
  if (flags.emit) {
    emit({ command: 'connect', endpoint, flags });
    return EXIT.ok;
  }
  checkFiles(flags);
  using channel = await openChannel(endpoint, {
    timeoutMs: flags.timeout,
    source: flags.source,
    settings: flags.option,
    tls,
  });
  if (flags.probe) return await probe(channel, flags.timeout);
  if (saysWhere(flags)) process.stderr.write(`sockeye: connected to ${peerName(channel)}\n`);
  let isOver = false;
  let isTold = false;
  const onSilence = (): string => {
    isTold = true;
    return `nothing has come yet; a server that waits for TLS is as silent; try ${asTls(endpoint)}`;
  };
  const saysSilence = endpoint.transport === 'tcp' && !flags.quiet;
  try {
    return await joinStdio(channel, flags, saysSilence ? { onSilence } : {});
  } catch (error) {
    isOver = error instanceof CommandError && (isDeadline(error) || isReset(error));
    throw error;
  } finally {
    const hint = tlsHint(channel, isOver);
    if (hint?.isSure || !isTold) tellHint(hint, endpoint, flags);
  }
}

function isDeadline({ exitCode }: CommandError): boolean {
  return exitCode === EXIT.deadline;
}

function isReset({ cause }: CommandError): boolean {
  return cause instanceof SocketError && cause.code === 'ECONNRESET';
}

/** Of a name with several addresses, which it is. */
function peerName(channel: Channel): string {
  const { endpoint } = channel;
  return channel instanceof SocketChannel || channel instanceof TlsChannel
    ? formatAddress(endpoint.transport, channel.socket.getpeername())
    : formatEndpoint(endpoint);
}

/** What may be nothing but silence is for people only. */
function tellHint(hint: TlsHint | undefined, endpoint: Endpoint, flags: Flags): void {
  if (hint === undefined || flags.quiet) return;
  if (!hint.isSure && !flags.verbose && !isInteractive(flags)) return;
  process.stderr.write(`sockeye: ${hint.text}; try ${asTls(endpoint)}\n`);
}

function asTls(endpoint: Endpoint): string {
  return formatEndpoint(endpoint).replace('tcp://', 'tls://');
}

/** Where lines are edited that says so itself; who sits at a terminal that can't must know too. */
function saysWhere(flags: Flags): boolean {
  if (isInteractive(flags)) return false;
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  return flags.verbose === true || (isTerminal && !flags.quiet && !flags.json);
}

/** A stream's connection has told already; of datagrams, ICMP may refuse one. */
async function probe(channel: Channel, timeoutMs = PROBE_MS): Promise<number> {
  if (channel.endpoint.transport !== 'udp') return EXIT.ok;
  const signal = AbortSignal.timeout(Math.min(timeoutMs, PROBE_MS));
  try {
    await channel.send(Buffer.alloc(0));
    await channel.receive(signal);
    return EXIT.ok;
  } catch (error) {
    if (!signal.aborted) throw explainError('reach', channel.endpoint, error);
  }
  process.stderr.write(
    'sockeye: nothing answered and nothing refused: UDP cannot tell whether somebody is there\n',
  );
  return EXIT.ok;
}
