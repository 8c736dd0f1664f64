/** A codec as a program names it, and what a line of stdin is to it. */
interface CodecText {
  readonly codec: string;
  /** The message of a `line`. */
  readonly message: string;
  /** Lines that write a `message` to stdout. */
  readonly show: string;
}

const SHOW_BYTES = "process.stdout.write(message);\n    process.stdout.write('\\n');";

/** @param name as `--frame` takes it: `lines`, `length:4:little`, … */
function codecText(name: string): CodecText {
  const [kind, argument = '', order] = name.split(':');
  if (kind === 'lines') {
    return { codec: 'lines()', message: 'line', show: 'process.stdout.write(`${message}\\n`);' };
  }
  if (kind === 'json') {
    const show = 'process.stdout.write(`${JSON.stringify(message)}\\n`);';
    return { codec: 'jsonLines()', message: 'JSON.parse(line)', show };
  }
  return {
    codec: bytesCodec(kind, argument, order),
    message: 'Buffer.from(line)',
    show: SHOW_BYTES,
  };
}

function bytesCodec(kind: string | undefined, argument: string, order: string | undefined): string {
  if (kind === 'netstring') return 'netstring()';
  if (kind === 'fixed') return `fixedSize({ size: ${Number(argument)} })`;
  if (kind === 'delimiter')
    return `delimiter(Buffer.from('${argument.replace(/^0x/i, '')}', 'hex'))`;
  const bytes = argument === 'varint' ? "'varint'" : argument || '4';
  return `lengthPrefix({ bytes: ${bytes}${order === 'little' ? ", endian: 'little'" : ''} })`;
}

/** Lines that join stdin's lines and a connected `socket`'s messages. */
export function framedSocket(name: string, endsSending: boolean): string {
  const { codec, message, show } = codecText(name);
  return `const messages = framed(socket, ${codec});

async function send() {
  for await (const line of createInterface({ input: process.stdin })) await messages.send(${message});
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
export function framedTls(name: string, endsSending: boolean): string {
  const { codec, message, show } = codecText(name);
  return `const codec = ${codec};

async function send() {
  for await (const line of createInterface({ input: process.stdin })) {
    await stream.send(Buffer.concat([codec.encode(${message})].flat()));
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
