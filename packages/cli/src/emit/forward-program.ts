import { isConnectionless } from '../address/address.ts';
import type { Emitted } from './emit.ts';
import { listening } from './serve-program.ts';
import { addressText, kindOf, literal, tlsFields, withImports } from './source-text.ts';

/** `forward`: each client joined to a connection of its own. */
export function forwardProgram(emitted: Emitted): string {
  const { endpoint, flags } = emitted;
  const { target = endpoint } = emitted;
  if (isConnectionless(endpoint.transport)) return withImports(datagrams(emitted));
  const [family, type] = kindOf(target, 'client');
  const version = flags.proxyProtocol;
  const header =
    version === undefined
      ? ''
      : `await socket.sendall(proxyHeader(${version}, connection.remote, connection.local));\n`;
  const host = 'host' in target ? target.host : '';
  const more = tlsFields(endpoint.transport === 'tls' ? without(emitted.flags) : flags, host);
  const stream =
    target.transport === 'tls'
      ? `tls.connect({ socket: socket.stream(), host: ${literal(host || 'localhost')}${more === '' ? '' : `, ${more}`} })`
      : 'socket.stream()';
  const body = `const socket = new Socket(${family}, ${type});
await socket.connect(${addressText(target, 'client')});
${header}const target = ${stream};
await Promise.all([
  pipeline(connection, target),
  (async () => {
    for await (const chunk of target) await connection.sendall(chunk);
    await connection.shutdown();
  })(),
]);
`;
  return withImports(
    `${listening(emitted, body)}for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.drain());\n`,
  );
}

/** With TLS on both sides the certificate is the listener's. */
function without({ cert: _cert, key: _key, ...rest }: Emitted['flags']): Emitted['flags'] {
  return rest;
}

function datagrams({ endpoint, target = endpoint }: Emitted): string {
  const [family, type] = kindOf(endpoint, 'server');
  const [targetFamily, targetType] = kindOf(target, 'client');
  return `const socket = new Socket(${family}, ${type});
socket.bind(${addressText(endpoint, 'server')});
const clients = new Map();

async function open(client) {
  const back = new Socket(${targetFamily}, ${targetType});
${target.transport === 'unix-dgram' ? "  back.bind({ path: '' });\n" : ''}  await back.connect(${addressText(target, 'client')});
  (async () => {
    for (;;) await socket.sendto(await back.recv(262144), client);
  })().catch(() => {});
  return back;
}

for (;;) {
  const [datagram, client] = await socket.recvfrom(262144);
  const key = JSON.stringify(client);
  if (!clients.has(key)) clients.set(key, await open(client));
  await clients.get(key).send(datagram);
}
`;
}
