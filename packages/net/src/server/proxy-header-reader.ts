import type { PlainConnection } from './plain-connection.ts';
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

async function readExactly(connection: PlainConnection, size: number): Promise<Buffer> {
  const bytes = Buffer.alloc(size);
  let filled = 0;
  while (filled < size) {
    const count = await connection.recvInto(bytes.subarray(filled));
    if (count === 0) throw new ProxyProtocolError(`the stream ended after ${filled} bytes`);
    filled += count;
  }
  return bytes;
}

/** The line byte by byte: what follows it belongs to the handler. */
async function readLine(connection: PlainConnection, start: Buffer): Promise<Buffer> {
  const line = Buffer.alloc(PROXY_V1_MAX_BYTES);
  start.copy(line);
  let filled = start.length;
  while (line[filled - 1] !== LF) {
    if (filled === line.length) throw new ProxyProtocolError('no CRLF within 107 bytes');
    line.set(await readExactly(connection, 1), filled++);
  }
  return line.subarray(0, filled);
}

/** Reads the header in front of a connection's bytes; its `remote` is then whom the proxy names. */
export async function readProxyHeader(connection: PlainConnection): Promise<ProxyHeader> {
  const prefix = await readExactly(connection, PROXY_PREFIX_BYTES);
  let header: ProxyHeader;
  if (proxyVersion(prefix) === 1) {
    header = parseProxyV1(await readLine(connection, prefix));
  } else {
    const more = await readExactly(connection, PROXY_V2_FIXED_BYTES - PROXY_PREFIX_BYTES);
    const fixed = Buffer.concat([prefix, more]);
    header = parseProxyV2(fixed, await readExactly(connection, proxyV2Length(fixed)));
  }
  if (header.source !== null) connection.remote = header.source;
  return header;
}
