import { serverLimits } from '@sockeye/net/server';
import { isConnectionless } from '../address/address.ts';
import { STREAM_IDLE_MS } from '../forward/idle-times.ts';
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
export function listening(emitted: Emitted, body: string): string {
  const { endpoint, flags } = emitted;
  const isTls = endpoint.transport === 'tls';
  const fields = [
    ...(isTls ? [`tls: { ${serverTlsFields(flags)} }`] : []),
    ...accessNames(flags).map((name) => `${name}: ${literal(flags[name])}`),
    ...limitFields(emitted),
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

/** What differs from the library's own limits. */
function limitFields({ command, flags }: Emitted): string[] {
  const usual = serverLimits({});
  const { chat, random, hello, firstByteTimeout, idleTimeout } = flags;
  const isForward = command === 'forward';
  // As the command: who waits for the other side is not to be put out for it.
  const waits = isForward || chat === true || random === true || hello !== undefined;
  const isUsual = (time: number | undefined, own: number): boolean =>
    time === undefined || time === own;
  const wanted = {
    maxConnections: flags.maxConnections,
    firstByteTimeoutMs:
      waits && isUsual(firstByteTimeout, usual.firstByteTimeoutMs) ? Infinity : firstByteTimeout,
    idleTimeoutMs: isForward
      ? (idleTimeout ?? STREAM_IDLE_MS)
      : chat && isUsual(idleTimeout, usual.idleTimeoutMs)
        ? Infinity
        : idleTimeout,
    writeTimeoutMs: isForward ? Infinity : flags.writeTimeout,
    drainTimeoutMs: flags.drain,
  };
  return Object.entries(wanted).flatMap(([name, value]) =>
    value === undefined || value === Reflect.get(usual, name) ? [] : `${name}: ${value}`,
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
  return chat ? ROOM : '';
}

function greeting({ greeting: text }: EmitFlags): string {
  return text === undefined
    ? ''
    : `await connection.sendall(Buffer.from(${literal(`${text}\n`)}));\n`;
}

function handler({ hello, reply, chat, random, discard, module }: EmitFlags): string {
  if (module !== undefined) {
    // A name, not a literal: who compiles the program needs no types of the module.
    return `const file: string = ${literal(module)};\nconst { default: handler } = await import(file);\nawait handler(connection, connection.remote);\n`;
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

const ROOM = `// Who is here, by connection.
const room = new Map<Connection, string>();
let guests = 0;

function tell(connection: Connection, line: string) {
  connection.sendall(Buffer.from(\`\${line}\\n\`)).catch(() => {});
}

function tellOthers(connection: Connection, line: string) {
  for (const other of room.keys()) if (other !== connection) tell(other, line);
}

function hear(connection: Connection, line: string) {
  const name = room.get(connection);
  const [, nick] = /^\\/nick ([\\p{L}\\p{M}\\p{N}_.-]{1,32})$/u.exec(line) ?? [];
  if (nick === undefined) tellOthers(connection, \`\${name}: \${line}\`);
  else if ([...room.values()].includes(nick)) tell(connection, '* somebody has that name');
  else {
    room.set(connection, nick);
    tell(connection, \`* you are \${nick}\`);
    tellOthers(connection, \`* \${name} is now \${nick}\`);
  }
}

`;

// What drives a terminal is left out of a line: the command shows it escaped.
const CHAT = `let name = \`guest\${++guests}\`;
while ([...room.values()].includes(name)) name = \`guest\${++guests}\`;
room.set(connection, name);
tell(connection, \`* you are \${name}, \${room.size} here; /nick NAME changes your name\`);
tellOthers(connection, \`* \${name} joined\`);
try {
  let rest = Buffer.alloc(0);
  for await (const chunk of connection) {
    rest = Buffer.concat([rest, chunk]);
    if (rest.length > 65536) break;
    for (let end = rest.indexOf('\\n'); end >= 0; end = rest.indexOf('\\n')) {
      hear(connection, rest.subarray(0, end).toString().replace(/[^\\P{Cc}\\t]/gu, ''));
      rest = rest.subarray(end + 1);
    }
  }
} finally {
  tellOthers(connection, \`* \${room.get(connection)} left\`);
  room.delete(connection);
}
`;

/** A Unix socket without a name of its own can't be answered. */
export const ANSWERABLE = '  if (client === null) continue;\n';

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
  const name = hello === undefined ? 'datagram' : '';
  const send = `  await socket.sendto(${answer}, client);\n`;
  const bound =
    `const socket = new Socket(${family}, ${type});\n${optionLines('socket', flags)}` +
    `socket.bind(${addressText(endpoint, 'server')});\n${tellLine('socket.getsockname()')}`;
  if (discard) return `${bound}for (;;) await socket.recv(262144);\n`;
  return (
    bound +
    `${lists}for (;;) {\n  const [${name}, client] = await socket.recvfrom(262144);\n${ANSWERABLE}${test}${send}}\n`
  );
}
