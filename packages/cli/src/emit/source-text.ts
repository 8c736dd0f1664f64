import { isIP } from 'node:net';
import { AF_UNIX, AF_VSOCK, VMADDR_CID_ANY } from '@sockeye/net';
import type { Endpoint } from '../address/address.ts';
import { sourceAddress, valueOf } from '../channel/socket-settings.ts';
import type { EmitFlags } from './emit.ts';

/** A value as TypeScript. */
export function literal(value: unknown): string {
  if (typeof value === 'string') {
    return `'${JSON.stringify(value).slice(1, -1).replaceAll('\\"', '"').replaceAll("'", "\\'")}'`;
  }
  if (typeof value === 'bigint') return `${value}n`;
  if (Array.isArray(value)) return `[${value.map(literal).join(', ')}]`;
  return JSON.stringify(value);
}

/** An endpoint as the library takes an address. */
export function addressText(endpoint: Endpoint, role: 'client' | 'server'): string {
  if ('path' in endpoint) return `{ path: ${literal(endpoint.path)} }`;
  if ('cid' in endpoint)
    return `{ cid: ${endpoint.cid ?? 'VMADDR_CID_ANY'}, port: ${endpoint.port} }`;
  const any = role === 'server' ? '::' : '127.0.0.1';
  return `{ host: ${literal(endpoint.host || any)}, port: ${endpoint.port} }`;
}

/** The family and the type of a socket for an endpoint, as constants. */
export function kindOf(endpoint: Endpoint, role: 'client' | 'server'): [string, string] {
  const { transport } = endpoint;
  const type =
    transport === 'udp' || transport === 'unix-dgram'
      ? 'SOCK_DGRAM'
      : transport === 'unix-seqpacket'
        ? 'SOCK_SEQPACKET'
        : 'SOCK_STREAM';
  if ('path' in endpoint) return ['AF_UNIX', type];
  if (!('host' in endpoint)) return ['AF_VSOCK', type];
  const isAny = endpoint.host === '' && role === 'server';
  return [isIP(endpoint.host) === 6 || isAny ? 'AF_INET6' : 'AF_INET', type];
}

/** Lines that set what `--option` says. */
export function optionLines(name: string, { option = [] }: Pick<EmitFlags, 'option'>): string {
  return option
    .map(
      ({ name: own, value }) => `${name}.options.set('${own}', ${literal(valueOf('', value))});\n`,
    )
    .join('');
}

/** What `--source` says of a host and a port; '' and 0 where it doesn't. */
export function sourceParts(source: string): { readonly host: string; readonly port: number } {
  const { host = '', port = 0 } = sourceAddress(0, source) as { host?: string; port?: number };
  return { host, port };
}

/** A line that binds a socket for an endpoint to what `--source` says. */
export function sourceLine({ transport }: Endpoint, source: string): string {
  if (transport === 'vsock') {
    const { cid, port } = sourceAddress(AF_VSOCK, source) as { cid: number; port: number };
    const name = cid === VMADDR_CID_ANY ? 'VMADDR_CID_ANY' : cid;
    return `socket.bind({ cid: ${name}, port: ${port} });\n`;
  }
  if (transport.startsWith('unix')) {
    const { path } = sourceAddress(AF_UNIX, source) as { path: string };
    return `socket.bind({ path: ${literal(path)} });\n`;
  }
  const { host, port } = sourceParts(source);
  return `socket.bind({ host: ${literal(host)}, port: ${port} });\n`;
}

/** What node:tls takes, as fields of an object. */
export function tlsFields(flags: EmitFlags, host: string): string {
  const { cert, key, ca, insecure, servername, alpn } = flags;
  const name = servername ?? (isIP(host) === 0 ? host || 'localhost' : undefined);
  return [
    ...(cert === undefined ? [] : [`cert: readFileSync(${literal(cert)})`]),
    ...(key === undefined ? [] : [`key: readFileSync(${literal(key)})`]),
    ...(ca === undefined ? [] : [`ca: readFileSync(${literal(ca)})`]),
    ...(insecure ? ['rejectUnauthorized: false'] : []),
    ...(name === undefined ? [] : [`servername: ${literal(name)}`]),
    ...(alpn === undefined ? [] : [`ALPNProtocols: ${literal(alpn)}`]),
  ].join(', ');
}

/** A line of a server that says where it listens: with port 0 nobody else knows. */
export function tellLine(address: string): string {
  return `console.error('listening on', ${address});\n`;
}

/** Lines two columns to the right. */
export function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

/** An import of what a program's text uses of the names given; nothing if it uses none. */
export function importLine(
  text: string,
  names: readonly string[],
  from: string,
  types: readonly string[] = [],
): string {
  // Neither process.once nor --serve.
  const isUsed = (name: string): boolean => new RegExp(`(?<![\\w.-])${name}\\b`).test(text);
  const used = names.filter(isUsed).toSorted();
  const usedTypes = types.filter(isUsed).toSorted();
  if (used.length === 0 && usedTypes.length === 0) return '';
  const all = [...usedTypes.map((name) => (used.length === 0 ? name : `type ${name}`)), ...used];
  return `import ${used.length === 0 ? 'type ' : ''}{ ${all.join(', ')} } from '${from}';\n`;
}

/** What programs call otherwise than their modules do. */
const TIMERS = { pause: 'setTimeout', turn: 'setImmediate' } as const;

function timersLine(text: string): string {
  const used = Object.entries(TIMERS).filter(([name]) => text.includes(`${name}(`));
  const names = used.map(([name, original]) => `${original} as ${name}`).toSorted();
  return names.length === 0 ? '' : `import { ${names.join(', ')} } from 'node:timers/promises';\n`;
}

const NET_NAMES = [
  'AF_INET',
  'AF_INET6',
  'AF_UNIX',
  'AF_VSOCK',
  'MSG_DONTWAIT',
  'IPPROTO_ICMP',
  'IPPROTO_ICMPV6',
  'createConnection',
  'createServer',
  'framed',
  'SOCK_DGRAM',
  'SOCK_RAW',
  'SOCK_SEQPACKET',
  'SOCK_STREAM',
  'Socket',
  'SHUT_WR',
  'TimeoutError',
  'TlsStream',
  'TlsTransport',
  'VMADDR_CID_ANY',
];

const CODEC_NAMES = ['delimiter', 'fixedSize', 'jsonLines', 'lengthPrefix', 'lines', 'netstring'];

// Erasable types only, which Node takes out by itself.
const HOW_TO_RUN =
  '// Save it as program.mts; then: node program.mts (Node 22.18 or later), npx tsx program.mts (before).\n';

/** A program with the imports that it needs. */
export function withImports(text: string): string {
  const imports = [
    importLine(text, ['createHmac', 'randomBytes'], 'node:crypto'),
    importLine(text, ['once'], 'node:events'),
    importLine(text, ['readFileSync'], 'node:fs'),
    importLine(text, ['createInterface'], 'node:readline'),
    importLine(text, ['Transform'], 'node:stream'),
    timersLine(text),
    text.includes('tls.connect(') ? "import tls from 'node:tls';\n" : '',
    importLine(text, NET_NAMES, '@sockeye/net', ['Address']),
    importLine(text, CODEC_NAMES, '@sockeye/net/codec'),
    importLine(
      text,
      ['AddressList', 'TlsAcceptor', 'proxyHeader', 'serve'],
      '@sockeye/net/server',
      ['Connection'],
    ),
  ];
  return `${HOW_TO_RUN}${imports.join('')}\n${text}`;
}
