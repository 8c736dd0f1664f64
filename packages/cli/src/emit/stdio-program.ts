import { isConnectionless, keepsMessages } from '../address/address.ts';
import { clientLines } from './client-lines.ts';
import type { Emitted } from './emit.ts';
import { framedSocket, framedTls } from './framed-lines.ts';
import { serverTlsFields } from './serve-program.ts';
import {
  addressText,
  indented,
  kindOf,
  optionLines,
  tellLine,
  withImports,
} from './source-text.ts';

/** `connect` and `listen`: a socket joined to stdin and stdout. */
export function stdioProgram(emitted: Emitted): string {
  const { command, endpoint, flags } = emitted;
  const opened = command === 'connect' ? clientLines(endpoint, flags).text : accepted(emitted);
  if (isConnectionless(endpoint.transport)) {
    return withImports(`${opened}${command === 'connect' ? DATAGRAMS : heard(emitted)}`);
  }
  const joined = keepsMessages(endpoint.transport) ? MESSAGES : joinedStream(emitted);
  if (!flags.keep) return withImports(opened + joined);
  const [listening, rest] = opened.split(MARK);
  return withImports(`${listening}for (;;) {\n${indented(`${rest}${joined}`)}}\n`);
}

/** Where a listener begins to take peers. */
const MARK = '// ---\n';

function accepted({ endpoint, flags }: Emitted): string {
  const [family, type] = kindOf(endpoint, 'server');
  const address = addressText(endpoint, 'server');
  if (isConnectionless(endpoint.transport)) {
    return (
      `const socket = new Socket(${family}, ${type});\n` +
      `${optionLines('socket', flags)}socket.bind(${address});\n${tellLine('socket.getsockname()')}`
    );
  }
  const reuse = 'host' in endpoint ? "listener.options.set('SO_REUSEADDR', true);\n" : '';
  const once = flags.keep ? '' : 'listener.close();\n';
  const isTls = endpoint.transport === 'tls';
  const acceptor = isTls
    ? `const acceptor = new TlsAcceptor({ ${serverTlsFields(flags)} });\n`
    : '';
  const secured = isTls ? 'const stream = await acceptor.secure(socket);\n' : '';
  return (
    `${acceptor}const listener = new Socket(${family}, ${type});\n${reuse}${optionLines('listener', flags)}` +
    `listener.bind(${address});\nlistener.listen();\n${tellLine('listener.getsockname()')}${MARK}` +
    `const [socket] = await listener.accept();\n${once}${secured}`
  ).replace(flags.keep ? '' : MARK, '');
}

function joinedStream({ endpoint, flags }: Emitted): string {
  if (flags.frame !== undefined) {
    const framedLines = endpoint.transport === 'tls' ? framedTls : framedSocket;
    return framedLines(flags.frame, flags.shutdown !== false);
  }
  const crlf = flags.crlf
    ? `.pipe(new Transform({\n  transform(chunk, _encoding, done) {\n    done(null, chunk.toString('latin1').replace(/\\r?\\n/g, '\\r\\n'));\n  },\n  decodeStrings: true,\n  encoding: 'latin1',\n}))`
    : '';
  if (endpoint.transport === 'tls') return encrypted(crlf, flags.shutdown !== false);
  const end = flags.shutdown === false ? ', { end: false }' : '';
  return `const stream = socket.stream();\nprocess.stdin${crlf}.pipe(stream${end});\nstream.pipe(process.stdout);\nawait once(stream, 'close');\n`;
}

/** The library's own, whose end is the peer's close_notify: docs/decisions/0007. */
function encrypted(crlf: string, endsSending: boolean): string {
  return `async function send() {
  for await (const chunk of process.stdin${crlf}) await stream.send(Buffer.from(chunk));
${endsSending ? '  await stream.shutdown();\n' : ''}}

async function receive() {
  for (let chunk = await stream.receive(); chunk; chunk = await stream.receive()) {
    if (!process.stdout.write(chunk)) await once(process.stdout, 'drain');
  }
}

await Promise.all([send(), receive()]);
stream.destroy();
`;
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
    ? 'if (from !== null) peer = from;'
    : 'if (peer === undefined && from !== null) await socket.connect(from);\n  peer ??= from ?? undefined;';
  const send = flags.keep ? 'socket.sendto(datagram, peer!)' : 'socket.send(datagram)';
  return `let peer: ReturnType<typeof socket.getsockname> | undefined;
let spoke = () => {};
const heard = new Promise<void>((resolve) => {
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
  if (peer !== undefined) spoke();
  process.stdout.write(datagram);
}
`;
}
