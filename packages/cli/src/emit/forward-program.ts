import { isConnectionless, type Transport } from '../address/address.ts';
import { clientLines } from './client-lines.ts';
import type { Emitted, EmitFlags } from './emit.ts';
import {
  ANSWERABLE,
  datagramAccess,
  ENDING,
  listening,
  withoutUndefined,
} from './serve-program.ts';
import { addressText, kindOf, tellLine, withImports } from './source-text.ts';

/** `forward`: each client joined to a connection of its own. */
export function forwardProgram(emitted: Emitted): string {
  const { endpoint, flags } = emitted;
  const { target = endpoint } = emitted;
  if (isConnectionless(endpoint.transport)) return withImports(datagrams(emitted));
  const { text, name } = clientLines(target, targetFlags(emitted));
  const header =
    flags.proxyProtocol === undefined
      ? ''
      : `await socket.sendall(proxyHeader(${flags.proxyProtocol}, connection.remote, connection.local));\n`;
  // The header comes before TLS.
  const [connecting = '', encrypting = ''] = text.split(/(?=^const transport)/m);
  const joined = joinedTo(name, target.transport);
  return withImports(
    `${listening(listener(emitted), `${connecting}${header}${encrypting}${joined}`)}${ENDING}`,
  );
}

/** Both directions; the target is closed however they end. */
function joinedTo(name: 'socket' | 'stream', transport: Transport): string {
  const isTls = name === 'stream';
  const isEndless = isConnectionless(transport);
  const end = isTls ? 'await stream.shutdown();' : 'socket.shutdown(SHUT_WR);';
  const receiving = isTls
    ? 'for (let chunk = await stream.receive(); chunk; chunk = await stream.receive()) {\n    await connection.sendall(chunk);\n  }'
    : isEndless
      ? 'for (;;) await connection.sendall(await socket.recv(262144));'
      : 'for (let chunk = await socket.recv(65536); chunk.length > 0; chunk = await socket.recv(65536)) {\n    await connection.sendall(chunk);\n  }';
  return `async function toTarget() {
  for await (const chunk of connection) await ${isTls ? 'stream.send' : isEndless ? 'socket.send' : 'socket.sendall'}(chunk);
  ${isEndless ? '// No datagram says that it was the last: the answers get a second.\n  await pause(1000);' : end}
}
async function toClient() {
  ${receiving}${isEndless ? '' : '\n  await connection.shutdown();'}
}
try {
  await Promise.${isEndless ? 'race' : 'all'}([toTarget(), toClient()]);
} finally {
  ${isTls ? 'stream.destroy()' : 'socket.close()'};
}
`;
}

/** With TLS on both sides the listener has the certificate and its key, the target the rest. */
function listener(emitted: Emitted): Emitted {
  const { endpoint, target, flags } = emitted;
  if (endpoint.transport !== 'tls' || target?.transport !== 'tls') return emitted;
  const { cert, key, option, allow, deny } = flags;
  return { ...emitted, flags: withoutUndefined({ cert, key, option, allow, deny }) };
}

function targetFlags({ endpoint, flags }: Emitted): EmitFlags {
  const { cert: _cert, key: _key, option: _option, ...rest } = flags;
  return endpoint.transport === 'tls' ? rest : { ...flags, option: [] };
}

function datagrams({ endpoint, target = endpoint, flags }: Emitted): string {
  const { lists, test } = datagramAccess(flags);
  const [family, type] = kindOf(endpoint, 'server');
  const [targetFamily, targetType] = kindOf(target, 'client');
  return `const socket = new Socket(${family}, ${type});
socket.bind(${addressText(endpoint, 'server')});
${tellLine('socket.getsockname()')}const clients = new Map<string, Awaited<ReturnType<typeof open>>>();
${lists}
type Client = ReturnType<typeof socket.getsockname>;

async function open(client: Client) {
  const back = new Socket(${targetFamily}, ${targetType});
${target.transport === 'unix-dgram' ? "  back.bind({ path: '' });\n" : ''}  await back.connect(${addressText(target, 'client')});
  (async () => {
    for (;;) await socket.sendto(await back.recv(262144), client);
  })().catch(() => {});
  return back;
}

for (;;) {
  const [datagram, client] = await socket.recvfrom(262144);
${ANSWERABLE}${test}  const key = JSON.stringify(client);
  const way = clients.get(key) ?? (await open(client));
  clients.set(key, way);
  await way.send(datagram);
}
`;
}
