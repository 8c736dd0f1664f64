import { keepsMessages } from '../address/address.ts';
import { MAX_LINE_BYTES, PREAMBLE } from '../bench/bench-protocol.ts';
import type { EmittedBench } from './bench-program.ts';
import { listening } from './serve-program.ts';
import { literal } from './source-text.ts';

/** `bench --serve` on streams. */
export function benchOtherSide({ endpoint, flags }: EmittedBench): string {
  // Several small messages leave together, as many as fit.
  const count = keepsMessages(endpoint.transport)
    ? 'size'
    : 'size * Math.max(Math.floor(65536 / size), 1)';
  const body = `const head = await firstBytes(connection);
const [line = '', mode, digits] = /^${PREAMBLE}(discard|source)(?: ([1-9]\\d{0,7}))?\\n/.exec(head) ?? [];
if (mode === 'source') {
  const size = Number(digits);
  const messages = Buffer.alloc(${count}, 'bench');
  for (;;) await connection.sendall(messages);
}
if (mode === 'discard') {
  let bytes = head.length - line.length;
  for await (const chunk of connection) bytes += chunk.length;
  await connection.sendall(Buffer.from(\`received \${bytes}\\n\`));
  return;
}
await connection.sendall(Buffer.from(head, 'latin1'));
for await (const chunk of connection) await connection.sendall(chunk);
`;
  return `// The first piece; the whole line where it starts like one of ours.
async function firstBytes(connection: Connection) {
  let head = '';
  do {
    const chunk = await connection.recv();
    if (chunk.length === 0) break;
    head += chunk.toString('latin1');
  } while (head.startsWith(${literal(PREAMBLE)}) && !head.includes('\\n') && head.length < ${MAX_LINE_BYTES});
  return head;
}

${listening({ command: 'serve', endpoint, flags }, body)}for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
`;
}
