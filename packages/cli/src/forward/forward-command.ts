import { serverLimits } from '@sockeye/net/server';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { type Endpoint, isConnectionless } from '../address/address.ts';
import { formatEndpoint } from '../address/format-address.ts';
import { parseAddress } from '../address/parse-address.ts';
import { parseNetworks } from '../address/parse-networks.ts';
import { addOptionFlag, addSourceFlag, type SocketFlags } from '../channel/socket-settings.ts';
import {
  addTlsFlags,
  addUnexpectedEofFlag,
  loadTls,
  type TlsFlags,
  type TlsSettings,
} from '../channel/tls-flags.ts';
import { usageError } from '../command-error.ts';
import { parseDuration, parseTimeLimit } from '../duration.ts';
import { addEmitFlag, emit } from '../emit/emit.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { checkAccess } from '../serve/access.ts';
import { ConnectionServer } from '../serve/connection-server.ts';
import { Observer } from '../serve/observer.ts';
import { openServing } from '../serve/open-serving.ts';
import {
  addServerFlags,
  countOption,
  drainOption,
  type ServerFlags,
} from '../serve/server-flags.ts';
import { requireCertificate, serverTls } from '../channel/server-tls.ts';
import { untilSignalled } from '../serve/until-signalled.ts';
import { DatagramForwarder } from './datagram-forwarder.ts';
import { forwardSession, type ForwardTarget } from './forward-session.ts';
import { DATAGRAM_IDLE_MS, STREAM_IDLE_MS } from './idle-times.ts';

// As much as one send takes; with the usual 64 KiB the client's TLS would stop and go for each.
const HIGH_WATER_BYTES = 256 * 1024;

const EXAMPLES = `
Examples:
  sockeye forward :8080 127.0.0.1:80                        a TCP port to another
  sockeye forward 127.0.0.1:5432 unix:///run/postgresql/.s.PGSQL.5432
  sockeye forward tls://:443 127.0.0.1:80 --cert cert.pem --key key.pem      TLS taken off
  sockeye forward 127.0.0.1:8080 tls://example.com:443                       TLS added
  sockeye forward udp://:53 udp://127.0.0.1:5353 --idle-timeout 30s
  sockeye forward :80 10.0.0.2:80 --proxy-protocol 2        tells the target who the client is

Each client gets a connection of its own to the target; either side's end is passed on, and so is a
reset. With TLS on both sides --cert and --key are the listener's, --ca, --insecure, --servername
and --alpn the target's; --ignore-unexpected-eof is for both, client and target.
SIGINT or SIGTERM drains: no new clients, the open ones get --drain, then it ends with 0.`;

interface Flags extends TlsFlags, SocketFlags, ServerFlags {
  readonly idleTimeout?: number;
  readonly proxyProtocol?: 1 | 2;
  readonly acceptProxyProtocol?: readonly string[];
  readonly hex?: boolean;
  readonly record?: string;
  readonly timeout?: number;
  readonly emit?: boolean;
}

/** Adds `sockeye forward`. */
export function addForwardCommand(program: Command, hooks: ProgramHooks): void {
  const limits = serverLimits({});
  const command = program
    .command('forward')
    .summary('join any two kinds of sockets, for many clients at once')
    .description('Forwards the clients of one address to another, of whatever kind.')
    .argument('<listen>', 'where clients come')
    .argument('<target>', 'where they are forwarded to')
    .addOption(
      new Option(
        '--proxy-protocol <version>',
        'tell the target whom it talks to: 1 or 2',
      ).argParser(parseVersion),
    )
    .addOption(
      new Option(
        '--accept-proxy-protocol <from>',
        'read the header of proxies at these addresses: 127.0.0.1,10.0.0.0/8',
      ).argParser(parseNetworks),
    )
    .addOption(
      new Option(
        '--idle-timeout <time>',
        'time without a byte: 10s, 5m, none (default: 1h, datagrams 2m)',
      ).argParser(parseDuration),
    )
    .addOption(
      new Option(
        '--timeout <time>',
        'time for the target to answer, each of its addresses: 10s, 500ms, none (default: 10s)',
      ).argParser(parseTimeLimit),
    )
    .option('--hex', 'show a hex dump of what each client says (<) and gets (>) on stderr')
    .option('--record <file>', 'write what each client says and gets as packets, pcapng')
    .addOption(countOption('--max-connections <n>', 'clients at once', limits.maxConnections))
    .addOption(drainOption(limits.drainTimeoutMs));
  addServerFlags(command);
  addSourceFlag(command);
  addOptionFlag(command);
  addTlsFlags(command);
  addUnexpectedEofFlag(command);
  addEmitFlag(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (listen: string, target: string, flags: Flags) =>
      hooks.finish(await forward(listen, target, flags, hooks)),
    );
}

function parseVersion(text: string): 1 | 2 {
  if (text === '1') return 1;
  if (text === '2') return 2;
  throw new InvalidArgumentError('Expected 1 or 2.');
}

async function forward(
  listen: string,
  targetText: string,
  flags: Flags,
  { onListening }: ProgramHooks,
): Promise<number> {
  const endpoint = parseAddress(listen);
  const target = parseAddress(targetText);
  checkPair(endpoint, target, flags);
  checkAccess(flags, [endpoint]);
  if (endpoint.transport === 'tls') requireCertificate(flags);
  const settings = loadTls(flags, [endpoint, target]);
  if (flags.emit) {
    emit({ command: 'forward', endpoint, target, flags });
    return EXIT.ok;
  }
  const [inner, outer] = bothTls(endpoint, target, settings);
  const tls = endpoint.transport === 'tls' ? serverTls(inner) : undefined;
  const totals = { connections: 0, toTarget: 0, toClients: 0 };
  const to: ForwardTarget = {
    endpoint: target,
    open: { tls: outer, source: flags.source, timeoutMs: flags.timeout },
    proxyProtocol: flags.proxyProtocol,
    totals,
  };
  await using observer = new Observer(flags);
  const serving = await openServing([endpoint], {
    ...reporting(flags),
    maxConnections: flags.maxConnections,
    drainTimeoutMs: flags.drain,
    portFile: flags.portFile,
    option: flags.option,
    whenBound: () => observer.start(),
    makeServer(bound, shared) {
      if (isConnectionless(endpoint.transport)) {
        const idleMs = flags.idleTimeout ?? DATAGRAM_IDLE_MS;
        return new DatagramForwarder(bound, to, { idleMs, observer, access: flags, ...shared });
      }
      return new ConnectionServer(bound.socket, {
        transport: endpoint.transport,
        session: forwardSession(to, shared.reporter),
        limits: {
          maxConnections: flags.maxConnections,
          firstByteTimeoutMs: Number.POSITIVE_INFINITY,
          idleTimeoutMs: flags.idleTimeout ?? STREAM_IDLE_MS,
          writeTimeoutMs: Number.POSITIVE_INFINITY,
          drainTimeoutMs: flags.drain,
        },
        tls,
        isLenient: inner.ignoreUnexpectedEof,
        access: flags,
        trustedProxies: flags.acceptProxyProtocol,
        highWaterMark: HIGH_WATER_BYTES,
        observer,
        ...shared,
      });
    },
  });
  await untilSignalled(serving, onListening);
  serving.reporter.tell({ type: 'forwarded', ...totals });
  return EXIT.ok;
}

function reporting({ json, quiet, verbose }: Flags) {
  return { json: json ?? false, quiet: quiet ?? false, verbose: verbose ?? false };
}

function checkPair(listen: Endpoint, target: Endpoint, flags: Flags): void {
  if (isConnectionless(listen.transport) && (flags.proxyProtocol ?? flags.acceptProxyProtocol)) {
    throw usageError(`${formatEndpoint(listen)} has no connections to begin with a PROXY header`);
  }
  if (flags.proxyProtocol !== undefined && isConnectionless(target.transport)) {
    throw usageError(`${formatEndpoint(target)} has no connections to begin with a PROXY header`);
  }
  if ('port' in target && target.port === 0) {
    throw usageError(`cannot forward to ${formatEndpoint(target)}: port 0 is for servers only`);
  }
}

/** What belongs to the listener and what to the target. */
function bothTls(
  listen: Endpoint,
  target: Endpoint,
  settings: TlsSettings,
): [TlsSettings, TlsSettings] {
  if (listen.transport !== 'tls' || target.transport !== 'tls') return [settings, settings];
  const { cert, key, ...ofTarget } = settings;
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  const lenient = settings.ignoreUnexpectedEof ? { ignoreUnexpectedEof: true } : {};
  return [{ ...own, ...lenient, insecure: false }, ofTarget];
}
