import { isConnectionless } from '../address/address.ts';
import type { Emitted, EmitFlags } from './emit.ts';
import {
  addressText,
  indented,
  kindOf,
  literal,
  optionLines,
  tellLine,
  tlsFields,
  withImports,
} from './source-text.ts';

/** `serve`: a handler for each connection, or an answer for each datagram. */
export function serveProgram(emitted: Emitted): string {
  const { endpoint, flags } = emitted;
  if (isConnectionless(endpoint.transport)) return withImports(datagrams(emitted));
  const body = `${greeting(flags)}${handler(flags)}`;
  return withImports(`${before(flags)}${listening(emitted, body)}${ENDING}`);
}

/** Ends it as the command does. */
export const ENDING = `for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.drain());
`;

/** A server on the endpoint whose handler has that body. */
export function listening({ endpoint, flags }: Emitted, body: string): string {
  const isTls = endpoint.transport === 'tls';
  const fields = [
    ...(isTls ? [`tls: { ${serverTlsFields(flags)} }`] : []),
    ...accessNames(flags).map((name) => `${name}: ${literal(flags[name])}`),
  ];
  const options = fields.length === 0 ? '' : `, {\n  ${fields.join(',\n  ')},\n}`;
  const isSimple = (flags.option ?? []).length === 0 && 'host' in endpoint && endpoint.host !== '';
  const handled = `async (connection) => {\n${indented(body)}}${options}`;
  const tell = tellLine('server.address');
  if (isSimple)
    return `const server = await serve(${addressText(endpoint, 'server')}, ${handled});\n${tell}`;
  const [family, type] = kindOf(endpoint, 'server');
  const reuse = 'host' in endpoint ? "listener.options.set('SO_REUSEADDR', true);\n" : '';
  return (
    `const listener = new Socket(${family}, ${type});\n${reuse}${optionLines('listener', flags)}` +
    `listener.bind(${addressText(endpoint, 'server')});\nlistener.listen();\n` +
    `const server = await serve(listener, ${handled});\n${tell}`
  );
}

function accessNames(flags: EmitFlags): ('allow' | 'deny')[] {
  return (['allow', 'deny'] as const).filter((name) => flags[name] !== undefined);
}

/** What a program of datagrams has before its loop, and the loop's first line. */
export function datagramAccess(flags: EmitFlags): {
  readonly lists: string;
  readonly test: string;
} {
  const names = accessNames(flags);
  const listName = { allow: 'allowed', deny: 'denied' } as const;
  const refusals = { allow: '!allowed.has(client)', deny: 'denied.has(client)' } as const;
  return {
    lists: names
      .map((name) => `const ${listName[name]} = new AddressList(${literal(flags[name])});\n`)
      .join(''),
    test:
      names.length === 0
        ? ''
        : `  if (${names.map((name) => refusals[name]).join(' || ')}) continue;\n`,
  };
}

/** What node:tls takes of a server. */
export function serverTlsFields(flags: EmitFlags): string {
  const { cert, key, ca, alpn, insecure } = flags;
  const own = tlsFields(withoutUndefined({ cert, key, ca, alpn }), '127.0.0.1');
  if (ca === undefined) return own;
  return `${own}, requestCert: true${insecure ? ', rejectUnauthorized: false' : ''}`;
}

/** Those flags that have a value: others are not to be printed. */
export function withoutUndefined(fields: Readonly<Record<string, unknown>>): EmitFlags {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function before({ chat }: EmitFlags): string {
  return chat ? 'const room = new Set();\n' : '';
}

function greeting({ greeting: text }: EmitFlags): string {
  return text === undefined
    ? ''
    : `await connection.sendall(Buffer.from(${literal(`${text}\n`)}));\n`;
}

function handler({ hello, reply, chat, random, discard, module }: EmitFlags): string {
  if (module !== undefined) {
    return `const { default: handler } = await import(${literal(module)});\nawait handler(connection, connection.remote);\n`;
  }
  if (hello !== undefined) {
    return `await connection.sendall(Buffer.from(${literal(`${hello}\n`)}));\n`;
  }
  if (random) return 'for (;;) await connection.sendall(randomBytes(65536));\n';
  if (discard) return 'for await (const _ of connection);\n';
  if (chat) return CHAT;
  const answer =
    reply === undefined ? 'chunk' : `Buffer.concat([Buffer.from(${literal(reply)}), chunk])`;
  return `for await (const chunk of connection) await connection.sendall(${answer});\n`;
}

const CHAT = `room.add(connection);
try {
  for await (const chunk of connection) {
    for (const other of room) if (other !== connection) other.sendall(chunk).catch(() => {});
  }
} finally {
  room.delete(connection);
}
`;

function datagrams({ endpoint, flags }: Emitted): string {
  const [family, type] = kindOf(endpoint, 'server');
  const { hello, reply, random, discard } = flags;
  const answer =
    hello !== undefined
      ? `Buffer.from(${literal(`${hello}\n`)})`
      : random
        ? 'randomBytes(datagram.length)'
        : reply === undefined
          ? 'datagram'
          : `Buffer.concat([Buffer.from(${literal(reply)}), datagram])`;
  const { lists, test } = datagramAccess(flags);
  const send = discard ? '' : `  await socket.sendto(${answer}, client);\n`;
  return (
    `const socket = new Socket(${family}, ${type});\n${optionLines('socket', flags)}` +
    `socket.bind(${addressText(endpoint, 'server')});\n${tellLine('socket.getsockname()')}` +
    `${lists}for (;;) {\n  const [datagram, client] = await socket.recvfrom(262144);\n${test}${send}}\n`
  );
}
