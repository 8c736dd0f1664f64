import { readFileSync } from 'node:fs';
import type { TLSSocketOptions } from 'node:tls';
import { type Command, Option } from 'commander';
import type { Endpoint } from '../address/address.ts';
import { formatEndpoint } from '../address/format-address.ts';
import { CommandError, usageError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';

/** The options of TLS as they were typed. */
export interface TlsFlags {
  readonly cert?: string;
  readonly key?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly ignoreUnexpectedEof?: boolean;
  readonly servername?: string;
  readonly alpn?: string[];
}

/** What node:tls needs for either side. */
export interface TlsSettings extends Pick<TLSSocketOptions, 'ALPNProtocols'> {
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly ca?: Buffer;
  /** Takes any certificate. */
  readonly insecure: boolean;
  /** Takes a connection that ends without close_notify for the peer's end. */
  readonly ignoreUnexpectedEof?: boolean;
  readonly servername?: string;
}

/** Adds --cert, --key, --ca, --insecure, --servername, --alpn. */
export function addTlsFlags(command: Command): Command {
  return command
    .addOption(new Option('--cert <file>', 'TLS: own certificate and its chain, PEM'))
    .addOption(new Option('--key <file>', 'TLS: its private key, PEM'))
    .addOption(new Option('--ca <file>', 'TLS: who vouches for the peer’s certificate, PEM'))
    .addOption(new Option('--insecure', 'TLS: take any certificate'))
    .addOption(new Option('--servername <name>', 'TLS: the name to ask for and to check'))
    .addOption(
      new Option(
        '--alpn <names>',
        'TLS: protocols to offer, the best first: h2,http/1.1',
      ).argParser((text) => text.split(',')),
    );
}

/** Adds --ignore-unexpected-eof, by the name that OpenSSL has for it. */
export function addUnexpectedEofFlag(command: Command): Command {
  return command.option(
    '--ignore-unexpected-eof',
    'TLS: a peer that ends without close_notify has said all it had to say',
  );
}

// As they are typed, by the names that they have here.
const NAMES = {
  cert: '--cert',
  key: '--key',
  ca: '--ca',
  insecure: '--insecure',
  ignoreUnexpectedEof: '--ignore-unexpected-eof',
  servername: '--servername',
  alpn: '--alpn',
} as const satisfies Record<keyof TlsFlags, string>;

/** Who says --ca believes that the conversation is encrypted. */
function checkUse(flags: TlsFlags, endpoints: readonly Endpoint[]): void {
  if (endpoints.some(({ transport }) => transport === 'tls')) return;
  const [used] =
    Object.entries(NAMES).find(([name]) => Reflect.get(flags, name) !== undefined) ?? [];
  const [endpoint] = endpoints;
  if (used === undefined || endpoint === undefined) return;
  const name = NAMES[used as keyof TlsFlags];
  const own = formatEndpoint(endpoint);
  const instead =
    'host' in endpoint && endpoint.transport === 'tcp'
      ? own.replace('tcp:', 'tls:')
      : 'tls://host:port';
  throw usageError(`${name} is for TLS, and ${own} has none; expected ${instead}`);
}

/**
 * Reads the files that the flags name.
 *
 * @param endpoints what the command was given, one of which must be tls:// for them
 * @throws CommandError for a file that can't be read, or flags that mean nothing here
 */
export function loadTls(flags: TlsFlags, endpoints: readonly Endpoint[]): TlsSettings {
  checkUse(flags, endpoints);
  if ((flags.cert === undefined) !== (flags.key === undefined)) {
    throw usageError('--cert and --key go together');
  }
  return {
    ...part('cert', flags.cert),
    ...part('key', flags.key),
    ...part('ca', flags.ca),
    insecure: flags.insecure ?? false,
    ...(flags.ignoreUnexpectedEof ? { ignoreUnexpectedEof: true } : {}),
    ...(flags.servername === undefined ? {} : { servername: flags.servername }),
    ...(flags.alpn === undefined ? {} : { ALPNProtocols: flags.alpn }),
  };
}

function part(name: 'cert' | 'key' | 'ca', file: string | undefined): Partial<TlsSettings> {
  if (file === undefined) return {};
  try {
    return { [name]: readFileSync(file) };
  } catch (error) {
    throw new CommandError(`cannot read --${name} ${file}: ${reasonOf(error)}`, 1, {
      cause: error,
    });
  }
}
