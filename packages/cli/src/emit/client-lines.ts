import { isIP } from 'node:net';
import { type Endpoint, isConnectionless } from '../address/address.ts';
import type { EmitFlags } from './emit.ts';
import { addressText, kindOf, literal, optionLines, sourceLine, tlsFields } from './source-text.ts';

/** Lines that connect, and the name of what they leave: `socket`, or `stream` over TLS. */
export function clientLines(
  endpoint: Endpoint,
  flags: EmitFlags,
): { readonly text: string; readonly name: 'socket' | 'stream' } {
  const socket = socketLines(endpoint, flags);
  if (endpoint.transport !== 'tls') return { text: socket, name: 'socket' };
  return { text: socket + tlsLines(endpoint.host, flags), name: 'stream' };
}

function socketLines(endpoint: Endpoint, flags: EmitFlags): string {
  const isName = 'host' in endpoint && endpoint.host !== '' && isIP(endpoint.host) === 0;
  const isPlain = flags.source === undefined && (flags.option ?? []).length === 0;
  const address = addressText(endpoint, 'client');
  if (isName && isPlain && !isConnectionless(endpoint.transport)) {
    return `const socket = await createConnection(${address});\n`;
  }
  const [family, type] = kindOf(endpoint, 'client');
  // Without a name of its own a Unix datagram socket gets no answers.
  const named = endpoint.transport === 'unix-dgram' ? "socket.bind({ path: '' });\n" : '';
  const source = flags.source === undefined ? named : sourceLine(endpoint, flags.source);
  return (
    `const socket = new Socket(${family}, ${type});\n` +
    `${optionLines('socket', flags)}${source}await socket.connect(${address});\n`
  );
}

/** Lines that make a `stream` of a connected `socket`, as its client. */
export function tlsLines(host: string, flags: EmitFlags): string {
  const more = tlsFields(flags, host);
  const fields = ['socket: transport', `host: ${literal(host || 'localhost')}`];
  const options = [...fields, ...(more === '' ? [] : [more])].join(', ');
  return `const transport = new TlsTransport(socket);
const stream = new TlsStream(tls.connect({ ${options} }), transport);
`;
}
