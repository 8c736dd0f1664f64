import type { Command } from 'commander';
import type { Address, Socket } from '@sockeye/net';
import { isConnectionless } from '../address/address.ts';
import { endpointOf } from '../address/endpoint-of.ts';
import { formatAddress, formatEndpoint } from '../address/format-address.ts';
import { parseAddress } from '../address/parse-address.ts';
import type { Channel } from '../channel/channel.ts';
import { SocketChannel } from '../channel/socket-channel.ts';
import { addOptionFlag, type SocketFlags } from '../channel/socket-settings.ts';
import { requireCertificate } from '../channel/server-tls.ts';
import { TlsAcceptor } from '../channel/tls-acceptor.ts';
import { addTlsFlags, addUnexpectedEofFlag, loadTls, type TlsFlags } from '../channel/tls-flags.ts';
import { CommandError, usageError } from '../command-error.ts';
import { isInteractive, joinStdio, openStdin, type StdioOptions } from '../connect/join-stdio.ts';
import { addStdioFlags, addTimeoutFlag } from '../connect/stdio-flags.ts';
import { formatDuration } from '../duration.ts';
import { addEmitFlag, emit } from '../emit/emit.ts';
import { checkFiles } from '../connect/check-files.ts';
import { EXIT } from '../exit-code.ts';
import { explainError, reasonOf } from '../explain-error.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { bindEndpoint, type BoundSocket } from '../serve/bind-endpoint.ts';
import { writePortFile } from '../serve/port-file.ts';
import { DatagramChannel } from './datagram-channel.ts';
import { SharedInput } from './shared-input.ts';

const EXAMPLES = `
Examples:
  sockeye listen 127.0.0.1:9000 > file           what one peer sends, into a file
  sockeye connect 127.0.0.1:9000 < file          the other end
  sockeye listen :9000 --keep --quiet >> log     one peer after another, until Ctrl-C
  sockeye listen udp://:5140 --keep              datagrams of everybody, as they come

One peer: ends with 0 when it has closed and stdin has ended (a terminal need not). With --keep a
peer's end is the end of its turn; stdin goes on with the next, and SIGINT or SIGTERM ends it with 0.
Datagrams have no end: without --keep it ends when stdin has ended and nothing came for some
seconds; --timeout says for how long.`;

interface Flags extends StdioOptions, TlsFlags, SocketFlags {
  readonly keep?: boolean;
  readonly portFile?: string;
  readonly emit?: boolean;
}

/** Adds `sockeye listen`. */
export function addListenCommand(program: Command, hooks: ProgramHooks): void {
  const command = program
    .command('listen')
    .summary('the other end of connect: wait for one peer')
    .description('Waits for one peer and joins stdin and stdout to it.')
    .argument('<address>', 'where to listen')
    .option('--keep', 'take one peer after another')
    .option('--port-file <file>', 'write the port here once it listens');
  addStdioFlags(command);
  addTimeoutFlag(command, 'give up after this time without a peer or a byte');
  addOptionFlag(command);
  addTlsFlags(command);
  addUnexpectedEofFlag(command);
  addEmitFlag(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, flags: Flags) =>
      hooks.finish(await listen(address, flags, hooks)),
    );
}

async function listen(address: string, flags: Flags, hooks: ProgramHooks): Promise<number> {
  const endpoint = parseAddress(address);
  if (flags.keep && flags.record !== undefined && !isConnectionless(endpoint.transport)) {
    throw usageError('--record takes one conversation: not with --keep');
  }
  if (endpoint.transport === 'tls') requireCertificate(flags);
  const tls = loadTls(flags, [endpoint]);
  if (flags.emit) {
    emit({ command: 'listen', endpoint, flags });
    return EXIT.ok;
  }
  const acceptor = endpoint.transport === 'tls' ? new TlsAcceptor(tls) : undefined;
  checkFiles(flags);
  const bound = await bindEndpoint(endpoint, flags.option);
  const [first] = bound;
  if (first === undefined || bound.length > 1) {
    closeAll(bound);
    throw usageError(`cannot listen on ${address}: the name has several addresses; choose one`);
  }
  process.once('exit', () => closeAll(bound));
  const whenFound = endOnSignals(flags.keep ?? false);
  try {
    if (flags.portFile !== undefined) writePortFile(flags.portFile, bound);
    if (!flags.quiet) process.stderr.write(`listening on ${nameOf(first)}\n`);
    hooks.onListening?.();
    return await new Listening(first, flags, { acceptor, whenFound }).run();
  } finally {
    closeAll(bound);
  }
}

function nameOf({ endpoint, socket }: BoundSocket): string {
  return formatAddress(endpoint.transport, socket.getsockname());
}

function closeAll(bound: readonly BoundSocket[]): void {
  for (const { socket, cleanUp } of bound) {
    socket.close();
    cleanUp();
  }
}

interface ListeningHooks {
  readonly acceptor: TlsAcceptor | undefined;
  /** Called when the one peer is there. */
  readonly whenFound: () => void;
}

class Listening {
  #bound: BoundSocket;
  #flags: Flags;
  #acceptor: TlsAcceptor | undefined;
  #whenFound: () => void;

  constructor(bound: BoundSocket, flags: Flags, { acceptor, whenFound }: ListeningHooks) {
    this.#bound = bound;
    this.#whenFound = whenFound;
    this.#flags = flags;
    this.#acceptor = acceptor;
  }

  async run(): Promise<number> {
    const { endpoint, socket } = this.#bound;
    if (isConnectionless(endpoint.transport)) return await this.#datagrams();
    if (this.#flags.keep) return await this.#keep();
    using channel = await this.#accept();
    this.#whenFound();
    // As nc: who comes second is refused, not left waiting.
    socket.close();
    return await joinStdio(channel, this.#flags);
  }

  async #datagrams(): Promise<number> {
    const { endpoint, socket } = this.#bound;
    using channel = new DatagramChannel(endpoint, socket, this.#flags.keep ?? false);
    // The end of stdin ends nothing while others may still come.
    if (!this.#flags.keep) this.#whenFound();
    const forever = { timeout: Number.POSITIVE_INFINITY };
    const options = { ...(this.#flags.keep ? forever : {}), ...this.#flags };
    return await joinStdio(channel, options, { waitsForPeer: true });
  }

  async #keep(): Promise<never> {
    const input = new SharedInput(openStdin());
    for (;;) {
      const turn = new AbortController();
      using channel = await this.#accept();
      try {
        const own = { from: input.until(turn.signal), onEnd: () => turn.abort() };
        await joinStdio(channel, this.#flags, { input: own });
      } catch (error) {
        // A peer's failure is its own; that of stdout is the command's.
        if (!(error instanceof CommandError) || error.exitCode === EXIT.brokenPipe) throw error;
        process.stderr.write(`sockeye: ${error.message}\n`);
      } finally {
        turn.abort();
      }
    }
  }

  /** A conversation on a terminal says itself with whom. */
  get #tellsWhoCame(): boolean {
    const { quiet, keep } = this.#flags;
    return quiet !== true && (keep === true || !isInteractive(this.#flags));
  }

  /** The next peer; one that can't agree on keys is told of and passed over. */
  async #accept(): Promise<Channel> {
    const { endpoint, socket } = this.#bound;
    for (;;) {
      const [accepted, address] = await this.#acceptPlain();
      const from = endpointOf(endpoint.transport, address);
      const peer = formatEndpoint(from);
      if (this.#tellsWhoCame) process.stderr.write(`connected ${peer}\n`);
      try {
        if (this.#acceptor === undefined) return new SocketChannel(from, accepted);
        return await this.#acceptor.secure(from, accepted);
      } catch (error) {
        accepted.close();
        process.stderr.write(`sockeye: no TLS with ${peer}: ${reasonOf(error)}\n`);
        if (socket.closed) throw error;
      }
    }
  }

  async #acceptPlain(): Promise<[Socket<number>, Address]> {
    const { endpoint, socket } = this.#bound;
    const { timeout = Number.POSITIVE_INFINITY, keep } = this.#flags;
    const waits = Number.isFinite(timeout) && keep !== true;
    try {
      const signal = waits ? AbortSignal.timeout(Math.min(timeout, 0x7fffffff)) : undefined;
      return await socket.accept({ signal });
    } catch (error) {
      if (error instanceof Error && error.name === 'TimeoutError') {
        throw new CommandError(`nobody came for ${formatDuration(timeout)}`, EXIT.deadline);
      }
      throw explainError('accept on', endpoint, error);
    }
  }
}

/**
 * A server is ended by a signal, which is no failure; who waits for one peer is interrupted. What the
 * sockets leave goes with the process's exit.
 *
 * @returns what leaves SIGINT to others from then on
 */
function endOnSignals(isServer: boolean): () => void {
  const interrupt = (): void => process.exit(isServer ? EXIT.ok : EXIT.interrupted);
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', () => process.exit(isServer ? EXIT.ok : EXIT.terminated));
  return () => process.off('SIGINT', interrupt);
}
