import type { EmittedFrame } from '../frame/frame-codec.ts';

/** What a line of stdin is as a message, and lines that write a `message` to stdout. */
const MESSAGES = {
  bytes: {
    read: 'Buffer.from(line)',
    show: "process.stdout.write(message);\n    process.stdout.write('\\n');",
  },
  text: { read: 'line', show: 'process.stdout.write(`${message}\\n`);' },
  json: {
    read: 'JSON.parse(line)',
    show: 'process.stdout.write(`${JSON.stringify(message)}\\n`);',
  },
} as const;

/** Lines that join stdin's lines and a connected `socket`'s messages. */
export function framedSocket({ source, messages }: EmittedFrame, endsSending: boolean): string {
  const { read, show } = MESSAGES[messages];
  return `const messages = framed(socket, ${source});

async function send() {
  for await (const line of createInterface({ input: process.stdin })) await messages.send(${read});
  await messages.flush();
${endsSending ? '  socket.shutdown(SHUT_WR);\n' : ''}}

async function receive() {
  for await (const message of messages) {
    ${show}
  }
}

await Promise.all([send(), receive()]);
await messages.close();
`;
}

/** The same of a `stream` over TLS. */
export function framedTls({ source, messages }: EmittedFrame, endsSending: boolean): string {
  const { read, show } = MESSAGES[messages];
  return `const codec = ${source};

async function send() {
  for await (const line of createInterface({ input: process.stdin })) {
    await stream.send(Buffer.concat([codec.encode(${read})].flat()));
  }
${endsSending ? '  await stream.shutdown();\n' : ''}}

async function* received() {
  const decoder = codec.decoder();
  for (let chunk = await stream.receive(); chunk; chunk = await stream.receive()) {
    yield* decoder.push(chunk) ?? [];
  }
  yield* decoder.end() ?? [];
}

async function receive() {
  for await (const message of received()) {
    ${show}
  }
}

await Promise.all([send(), receive()]);
stream.destroy();
`;
}
