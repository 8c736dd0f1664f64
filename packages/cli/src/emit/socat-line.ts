import { isIPv6 } from 'node:net';
import type { Endpoint, HostEndpoint, UnixEndpoint } from '../address/address.ts';
import type { Emitted, EmitFlags } from './emit.ts';
import { shellWord } from './shell-word.ts';

// What neither socat's address nor the shell behind it nor echo reads as anything else.
const PLAIN_WORDS = /^[\p{L}\p{N}_.]+(?: [\p{L}\p{N}_.-]+)*$/u;

/** The same with socat; undefined where it can't. */
export function socatLine({ command, endpoint, target, flags }: Emitted): string | undefined {
  if (flags.proxyProtocol !== undefined || flags.frame !== undefined) return undefined;
  // It takes one network.
  if (flags.deny !== undefined || (flags.allow?.length ?? 0) > 1) return undefined;
  // Its names for the options of sockets are its own.
  if ((flags.option ?? []).length > 0) return undefined;
  const own =
    command === 'connect'
      ? connectAddress(endpoint, flags)
      : listenAddress(endpoint, flags, command !== 'listen' || flags.keep === true);
  const other =
    command === 'forward' ? target && connectAddress(target, flags) : served(command, flags);
  if (own === undefined || other === undefined) return undefined;
  const words =
    command === 'connect' ? [other, own] : command === 'listen' ? [own, other] : [own, other];
  const wait = flags.timeout === undefined ? [] : ['-T', String(flags.timeout / 1000)];
  // socat gives the other direction half a second once one has ended, unless told otherwise.
  return ['socat', '-t', '10', ...wait, ...words.map(shellWord)].join(' ');
}

/** What a server does, in socat's words. */
function served(command: Emitted['command'], flags: EmitFlags): string | undefined {
  if (command !== 'serve') return '-';
  const { greeting, reply, chat, hello, random, discard, module } = flags;
  if (greeting !== undefined || reply !== undefined || chat || module !== undefined)
    return undefined;
  if (hello !== undefined) return PLAIN_WORDS.test(hello) ? `SYSTEM:echo ${hello}` : undefined;
  if (random) return 'OPEN:/dev/urandom,rdonly';
  return discard ? 'OPEN:/dev/null' : 'PIPE';
}

function connectAddress(endpoint: Endpoint, flags: EmitFlags): string | undefined {
  const extra = [...(flags.crlf ? ['crnl'] : []), ...bindTo(flags.source)];
  switch (endpoint.transport) {
    case 'tcp':
    case 'udp':
      return [`${family(endpoint)}:${hostPort(endpoint)}`, ...extra].join(',');
    case 'tls':
      return [`OPENSSL:${hostPort(endpoint)}`, ...tlsOptions(flags), ...extra].join(',');
    case 'unix':
      return unixName(endpoint, 'CONNECT');
    case 'unix-dgram':
      // Without a file of its own to bind to it would get no answers.
      return undefined;
    case 'unix-seqpacket':
      return endpoint.path.startsWith('\0')
        ? undefined
        : `UNIX-CONNECT:${endpoint.path},socktype=5`;
    case 'vsock':
      return [`VSOCK-CONNECT:${endpoint.cid}:${endpoint.port}`, ...bindTo(flags.source)].join(',');
    default:
      return endpoint satisfies never;
  }
}

function listenAddress(endpoint: Endpoint, flags: EmitFlags, forks: boolean): string | undefined {
  const fork = forks ? ['fork'] : [];
  switch (endpoint.transport) {
    case 'tcp':
    case 'udp':
    case 'tls': {
      const name = endpoint.transport === 'tls' ? 'OPENSSL' : family(endpoint);
      const bind = endpoint.host === '' ? [] : [`bind=${bracketed(endpoint.host)}`];
      const range = (flags.allow ?? []).map(rangeOf);
      const verify = flags.ca === undefined ? ['verify=0'] : [];
      const tls = endpoint.transport === 'tls' ? [...tlsOptions(flags), ...verify] : [];
      return [
        `${name}-LISTEN:${endpoint.port}`,
        ...bind,
        'reuseaddr',
        ...fork,
        ...range,
        ...tls,
      ].join(',');
    }
    case 'unix':
      return [unixName(endpoint, 'LISTEN'), ...fork].join(',');
    case 'unix-dgram':
      return unixName(endpoint, 'RECVFROM');
    case 'unix-seqpacket':
      return undefined;
    case 'vsock':
      return [`VSOCK-LISTEN:${endpoint.port}`, ...fork].join(',');
    default:
      return endpoint satisfies never;
  }
}

function family({ transport, host }: HostEndpoint): string {
  const name = transport === 'udp' ? 'UDP' : 'TCP';
  return host.includes(':') ? `${name}6` : name;
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}

function hostPort({ host, port }: HostEndpoint): string {
  return `${bracketed(host || '127.0.0.1')}:${port}`;
}

function unixName({ path }: UnixEndpoint, verb: string): string {
  return path.startsWith('\0') ? `ABSTRACT-${verb}:${path.slice(1)}` : `UNIX-${verb}:${path}`;
}

/** A network as socat's `range` takes it. */
function rangeOf(network: string): string {
  const [address = '', prefix] = network.split('/');
  const isV6 = address.includes(':');
  return `range=${bracketed(address)}/${prefix ?? (isV6 ? 128 : 32)}`;
}

function bindTo(source: string | undefined): string[] {
  if (source === undefined) return [];
  return [`bind=${isIPv6(source) ? `[${source}]` : source}`];
}

function tlsOptions({ cert, key, ca, insecure, servername }: EmitFlags): string[] {
  return [
    ...(cert === undefined ? [] : [`cert=${cert}`]),
    ...(key === undefined ? [] : [`key=${key}`]),
    ...(ca === undefined ? [] : [`cafile=${ca}`]),
    ...(insecure ? ['verify=0'] : []),
    ...(servername === undefined ? [] : [`commonname=${servername}`]),
  ];
}
