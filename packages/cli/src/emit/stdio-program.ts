import { isIP } from 'node:net';
import { isConnectionless, keepsMessages } from '../address/address.ts';
import type { Emitted } from './emit.ts';
import {
  addressText,
  kindOf,
  literal,
  optionLines,
  sourceLine,
  tlsFields,
  withImports,
} from './source-text.ts';

/** `connect` and `listen`: a socket joined to stdin and stdout. */
export function stdioProgram(emitted: Emitted): string {
  const { command, endpoint } = emitted;
  const opened = command === 'connect' ? connected(emitted) : accepted(emitted);
  if (isConnectionless(endpoint.transport)) {
    return withImports(`${opened}${command === 'connect' ? DATAGRAMS : heard(emitted)}`);
  }
  const joined = keepsMessages(endpoint.transport) ? MESSAGES : joinedStream(emitted);
  if (!emitted.flags.keep) return withImports(opened + joined);
  const [listening, rest] = opened.split(MARK);
  return withImports(`${listening}for (;;) {\n${indented(`${rest}${joined}`)}}\n`);
}

/** Where a listener begins to take peers. */
const MARK = '// ---\n';

function indented(text: string): string {
  return text.replace(/^(?=.)/gm, '  ');
}

function connected({ endpoint, flags }: Emitted): string {
  const isName = 'host' in endpoint && endpoint.host !== '' && isIP(endpoint.host) === 0;
  const isPlain = flags.source === undefined && (flags.option ?? []).length === 0;
  const address = addressText(endpoint, 'client');
  if (isName && isPlain && !isConnectionless(endpoint.transport)) {
    return `const socket = await createConnection(${address});\n`;
  }
  const [family, type] = kindOf(endpoint, 'client');
  // Without a name of its own a Unix datagram socket gets no answers.
  const named = endpoint.transport === 'unix-dgram' ? "socket.bind({ path: '' });\n" : '';
  const source = flags.source === undefined ? named : sourceLine(flags.source);
  return (
    `const socket = new Socket(${family}, ${type});\n` +
    `${optionLines('socket', flags)}${source}await socket.connect(${address});\n`
  );
}

function accepted({ endpoint, flags }: Emitted): string {
  const [family, type] = kindOf(endpoint, 'server');
  const address = addressText(endpoint, 'server');
  if (isConnectionless(endpoint.transport)) {
    return (
      `const socket = new Socket(${family}, ${type});\n` +
      `${optionLines('socket', flags)}socket.bind(${address});\n`
    );
  }
  const reuse = 'host' in endpoint ? "listener.options.set('SO_REUSEADDR', true);\n" : '';
  const once = flags.keep ? '' : 'listener.close();\n';
  return (
    `const listener = new Socket(${family}, ${type});\n${reuse}${optionLines('listener', flags)}` +
    `listener.bind(${address});\nlistener.listen();\n${MARK}` +
    `const [socket] = await listener.accept();\n${once}`
  ).replace(flags.keep ? '' : MARK, '');
}

function joinedStream({ command, endpoint, flags }: Emitted): string {
  const end = flags.shutdown === false ? ', { end: false }' : '';
  const crlf = flags.crlf
    ? `.pipe(new Transform({\n  transform(chunk, _encoding, done) {\n    done(null, chunk.toString('latin1').replace(/\\r?\\n/g, '\\r\\n'));\n  },\n  decodeStrings: true,\n  encoding: 'latin1',\n}))`
    : '';
  const out = `process.stdin${crlf}.pipe(stream${end});\nstream.pipe(process.stdout);\nawait once(stream, 'close');\n`;
  if (endpoint.transport !== 'tls') return `const stream = socket.stream();\n${out}`;
  if (command === 'listen') {
    const fields = tlsFields({ ...flags, servername: '' }, '127.0.0.1').replace(
      /, servername: ''/,
      '',
    );
    return `const stream = new tls.TLSSocket(socket.stream(), { isServer: true, ${fields} });\n${out}`;
  }
  const fields = ['socket: socket.stream()', `host: ${literal(endpoint.host || 'localhost')}`];
  const more = tlsFields(flags, endpoint.host);
  return `const stream = tls.connect({ ${[...fields, ...(more === '' ? [] : [more])].join(', ')} });\n${out}`;
}

const MESSAGES = `async function send() {
  for await (const message of process.stdin) await socket.send(message);
  socket.shutdown(SHUT_WR);
}

async function receive() {
  for (;;) {
    const message = await socket.recv(262144);
    if (message.length === 0) return;
    process.stdout.write(message);
  }
}

await Promise.all([send(), receive()]);
socket.close();
`;

const DATAGRAMS = `async function receive() {
  for (;;) process.stdout.write(await socket.recv(262144));
}

receive().catch(() => {});
for await (const datagram of process.stdin) await socket.send(datagram);
// No datagram says that it was the last: the answers get a second.
setTimeout(() => socket.close(), 1000);
`;

/** With --keep it answers who spoke last; else it talks to the first alone. */
function heard({ flags }: Emitted): string {
  const first = flags.keep
    ? 'peer = from;'
    : 'if (peer === undefined) await socket.connect(from);\n  peer = from;';
  const send = flags.keep ? 'socket.sendto(datagram, peer)' : 'socket.send(datagram)';
  return `let peer;
let spoke;
const heard = new Promise((resolve) => {
  spoke = resolve;
});

async function send() {
  await heard;
  for await (const datagram of process.stdin) await ${send};
}

send();
for (;;) {
  const [datagram, from] = await socket.recvfrom(262144);
  ${first}
  spoke();
  process.stdout.write(datagram);
}
`;
}
