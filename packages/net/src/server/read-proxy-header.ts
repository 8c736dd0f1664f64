import {
  PROXY_PREFIX_BYTES,
  PROXY_V1_MAX_BYTES,
  PROXY_V2_FIXED_BYTES,
  type ProxyHeader,
  ProxyProtocolError,
  parseProxyV1,
  parseProxyV2,
  proxyV2Length,
  proxyVersion,
} from './proxy-protocol.ts';

const LF = 0x0a;

/** Where a header is read from: a Socket, a Connection. */
export interface ProxyHeaderSource {
  /** The next bytes into the buffer: how many; 0 at the end. */
  recvInto(buffer: Uint8Array): Promise<number>;
}

async function readExactly(source: ProxyHeaderSource, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const count = await source.recvInto(bytes.subarray(filled));
    if (count === 0) throw new ProxyProtocolError(`the stream ended after ${filled} bytes`);
    filled += count;
  }
  return bytes;
}

/** The line byte by byte: what follows it belongs to the handler. */
async function readLine(source: ProxyHeaderSource, start: Buffer): Promise<Buffer> {
  const line = Buffer.alloc(PROXY_V1_MAX_BYTES);
  start.copy(line);
  let filled = start.length;
  while (line[filled - 1] !== LF) {
    if (filled === line.length) throw new ProxyProtocolError('no CRLF within 107 bytes');
    line.set(await readExactly(source, 1), filled++);
  }
  return line.subarray(0, filled);
}

/**
 * Reads the PROXY protocol header (version 1 or 2) in front of a stream's bytes, and not a byte
 * behind it. Only a trusted peer's header means anything: whoever may send one may claim anything.
 * Nothing here waits for a limited time only: close the source when a deadline passes.
 *
 * @returns whom the proxy speaks for; null fields for its own health check
 * @throws ProxyProtocolError when something else comes, or the stream ends; SocketError
 *
 * @example
 * const [proxy, server] = socketpair();
 * const [client, target] = [{ host: '192.0.2.7', port: 56324 }, { host: '192.0.2.8', port: 443 }];
 * await proxy.sendall(Buffer.concat([proxyHeader(2, client, target), Buffer.from('body')]));
 * assert.deepEqual(await readProxyHeader(server), { source: client, destination: target });
 * assert.equal(String(await server.recv(100)), 'body');
 * proxy.close();
 * server.close();
 */
export async function readProxyHeader(source: ProxyHeaderSource): Promise<ProxyHeader> {
  const prefix = await readExactly(source, PROXY_PREFIX_BYTES);
  if (proxyVersion(prefix) === 1) return parseProxyV1(await readLine(source, prefix));
  const more = await readExactly(source, PROXY_V2_FIXED_BYTES - PROXY_PREFIX_BYTES);
  const fixed = Buffer.concat([prefix, more]);
  return parseProxyV2(fixed, await readExactly(source, proxyV2Length(fixed)));
}
