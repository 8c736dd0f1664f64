import { serverLimits } from '@sockeye/net/server';
import { type Command, Option } from 'commander';
import { type Endpoint, isConnectionless, keepsMessages } from '../address/address.ts';
import { parseAddress } from '../address/parse-address.ts';
import { addOptionFlag, type SocketFlags } from '../channel/socket-settings.ts';
import { addTlsFlags, addUnexpectedEofFlag, loadTls, type TlsFlags } from '../channel/tls-flags.ts';
import { usageError } from '../command-error.ts';
import { parseWord } from '../connect/stdio-flags.ts';
import { addEmitFlag, emit } from '../emit/emit.ts';
import { EXIT } from '../exit-code.ts';
import { FRAME_FORMS, parseFrame } from '../frame/frame-codec.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import type { Behaviour, Limits, ServeOptions } from './serve-options.ts';
import { checkAccess } from './access.ts';
import { ConnectionServer } from './connection-server.ts';
import type { Session } from './conversation.ts';
import { datagramAnswer } from './datagram-answer.ts';
import { DatagramServer } from './datagram-server.ts';
import { HandlerModule } from './handler-module.ts';
import { Observer, type ObserverOptions } from './observer.ts';
import { openServing, type ServingOptions } from './open-serving.ts';
import {
  addServerFlags,
  countOption,
  drainOption,
  durationOption,
  type ServerFlags,
} from './server-flags.ts';
import { makeSession } from './session.ts';
import { requireCertificate, serverTls } from '../channel/server-tls.ts';
import { untilSignalled } from './until-signalled.ts';

const DEFAULT_ADDRESS = 'tcp://127.0.0.1:8090';

const EXAMPLES = `
Examples:
  sockeye serve                                            echo on ${DEFAULT_ADDRESS}
  sockeye serve :8090 --greeting 'Hello!' --reply 'you said: ' --quit quit
  sockeye serve udp://127.0.0.1:8091 unix:///tmp/echo.sock --idle-timeout none
  sockeye serve :8090 --chat                               a room, for nc as well
  sockeye serve tls://:8443 --cert cert.pem --key key.pem
  sockeye serve --module handler.mjs --watch               a handler of your own
  sockeye serve 127.0.0.1:0 --port-file port --json        for scripts

Datagrams have no connections: the greeting answers an empty datagram, a datagram that is the
--quit word gets no answer, and every other one gets one.
A handler is what serve() of @sockeye/net/server takes:
  export default async (connection) => {
    for await (const piece of connection) await connection.sendall(piece);
  };
SIGINT or SIGTERM drains: no new clients, the open ones get --drain, then it ends with 0.`;

interface Flags
  extends Pick<ServeOptions, 'greeting' | 'quit' | 'frame'>,
    ObserverOptions,
    ServerFlags {
  readonly hello?: string;
  readonly reply?: string;
  readonly chat?: boolean;
  readonly random?: boolean;
  readonly discard?: boolean;
  readonly module?: string;
  readonly watch?: boolean;
  readonly idleTimeout: number;
  readonly firstByteTimeout: number;
  readonly writeTimeout: number;
  readonly option?: SocketFlags['option'];
  readonly emit?: boolean;
}

/** Adds `sockeye serve`. */
export function addServeCommand(program: Command, hooks: ProgramHooks): void {
  const limits = serverLimits({});
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
    .addOption(drainOption(limits.drainTimeoutMs))
    .addOption(
      new Option('--frame <codec>', `exchange messages: ${FRAME_FORMS}`).argParser(parseFrame),
    )
    .option('--watch', 'load the --module again when its file changes')
    .option('--hex', 'show a hex dump of both directions on stderr')
    .option('--record <file>', 'write both directions as packets to this file, pcapng');
  addServerFlags(command);
  addOptionFlag(command);
  addTlsFlags(command);
  addUnexpectedEofFlag(command);
  addEmitFlag(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (addresses: string[], flags: Flags & TlsFlags) =>
      hooks.finish(await serve(addresses, flags, command, hooks)),
    );
}

function behaviourOptions(): Option[] {
  const options = [
    new Option('--echo', 'send everything back (the default)'),
    new Option('--reply <prefix>', 'send everything back, each piece after this prefix'),
    new Option('--hello <text>', 'send this line and close'),
    new Option('--chat', 'send each line, and who said it, to all other clients'),
    new Option('--random', 'send random bytes'),
    new Option('--discard', 'take everything and send nothing'),
    new Option('--module <file>', 'run the default export of this module on each connection'),
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

function behaviourOf(flags: Flags, module: HandlerModule | undefined): Behaviour {
  const { hello, reply, chat, random, discard } = flags;
  if (module !== undefined) return { kind: 'module', module };
  if (hello !== undefined) return { kind: 'hello', text: hello };
  if (chat) return { kind: 'chat' };
  if (random) return { kind: 'random' };
  if (discard) return { kind: 'discard' };
  return { kind: 'echo', prefix: reply };
}

async function serve(
  addresses: readonly string[],
  flags: Flags & TlsFlags,
  command: Command,
  { onListening }: ProgramHooks,
): Promise<number> {
  const endpoints = (addresses.length === 0 ? [DEFAULT_ADDRESS] : addresses).map(parseAddress);
  if (flags.watch && flags.module === undefined) throw usageError('--watch needs --module');
  checkAccess(flags, endpoints);
  const isTls = endpoints.some(({ transport }) => transport === 'tls');
  if (isTls) requireCertificate(flags);
  const settings = loadTls(flags, endpoints);
  if (flags.emit) {
    const [endpoint] = endpoints as [Endpoint];
    if (endpoints.length > 1) throw usageError('--emit prints the program of one address');
    emit({ command: 'serve', endpoint, flags });
    return EXIT.ok;
  }
  using module = flags.module === undefined ? undefined : await HandlerModule.load(flags.module);
  const options = { ...flags, behaviour: behaviourOf(flags, module) };
  const limits = limitsOf(flags, command);
  const tls = isTls ? serverTls(settings) : undefined;
  await using observer = new Observer(flags);
  const makeServer: ServingOptions['makeServer'] = ({ socket, endpoint }, shared) =>
    isConnectionless(endpoint.transport)
      ? new DatagramServer(socket, {
          transport: endpoint.transport,
          answer: datagramAnswer(options),
          observer,
          access: flags,
          ...shared,
        })
      : new ConnectionServer(socket, {
          transport: endpoint.transport,
          session: sessionFor(endpoint),
          limits,
          tls: endpoint.transport === 'tls' ? tls : undefined,
          isLenient: settings.ignoreUnexpectedEof,
          access: flags,
          observer,
          ...shared,
        });
  // One room for all addresses.
  const sessions = [false, true].map((keeps) => makeSession(options, keeps)) as [Session, Session];
  const sessionFor = ({ transport }: Endpoint): Session =>
    sessions[keepsMessages(transport) ? 1 : 0];
  const serving = await openServing(endpoints, {
    maxConnections: flags.maxConnections,
    drainTimeoutMs: flags.drain,
    portFile: flags.portFile,
    option: flags.option,
    whenBound: () => observer.start(),
    json: flags.json ?? false,
    quiet: flags.quiet ?? false,
    verbose: flags.verbose ?? false,
    makeServer,
  });
  module?.tellOfRejections(serving.reporter);
  if (flags.watch) module?.watch(serving.reporter);
  return await untilSignalled(serving, onListening ?? (() => hint(serving.addresses, flags)));
}

/** For who sits at a terminal and tries it for the first time. */
function hint([address]: readonly string[], { quiet, json }: Flags): void {
  if (quiet || json || !process.stderr.isTTY) return;
  // An address of every interface is none to connect to; without a host it is this machine.
  const reachable = address?.replace(/\/\/(\[::\]|0\.0\.0\.0):/, '//:');
  process.stderr.write(`talk to it: sockeye connect ${reachable}\nCtrl-C ends the server\n`);
}

/** In a room one may listen for hours, and a server that only sends waits for no first byte. */
function limitsOf(flags: Flags, command: Command): Limits {
  const isDefault = (name: string): boolean => command.getOptionValueSource(name) === 'default';
  const waitsForEver = flags.chat === true;
  const waitsForNothing = waitsForEver || flags.random === true || flags.hello !== undefined;
  const { firstByteTimeout, idleTimeout } = flags;
  return {
    maxConnections: flags.maxConnections,
    firstByteTimeoutMs:
      waitsForNothing && isDefault('firstByteTimeout')
        ? Number.POSITIVE_INFINITY
        : firstByteTimeout,
    idleTimeoutMs:
      waitsForEver && isDefault('idleTimeout') ? Number.POSITIVE_INFINITY : idleTimeout,
    writeTimeoutMs: flags.writeTimeout,
    drainTimeoutMs: flags.drain,
  };
}
