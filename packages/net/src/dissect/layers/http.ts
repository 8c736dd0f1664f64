import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';

// RFC 9110 9, WebDAV's of RFC 4918 and PATCH of RFC 5789.
const requestStart =
  /^(?:GET|HEAD|POST|PUT|DELETE|CONNECT|OPTIONS|TRACE|PATCH|PROPFIND|MKCOL|COPY|MOVE|LOCK|UNLOCK) /;
const responseStart = /^HTTP\/1\.[01] /;

// Arbitrary; Node's own server takes 2,000 headers and 16 KiB.
const maxHeaderLines = 256;

// Headers that have a field of their own in Wireshark; the rest are `http.unknown_header`.
const headerFields: ReadonlyMap<string, string> = new Map([
  ['authorization', 'http.authorization'],
  ['content-type', 'http.content_type'],
  ['content-length', 'http.content_length_header'],
  ['content-encoding', 'http.content_encoding'],
  ['transfer-encoding', 'http.transfer_encoding'],
  ['upgrade', 'http.upgrade'],
  ['user-agent', 'http.user_agent'],
  ['host', 'http.host'],
  ['connection', 'http.connection'],
  ['cookie', 'http.cookie'],
  ['accept', 'http.accept'],
  ['referer', 'http.referer'],
  ['accept-language', 'http.accept_language'],
  ['accept-encoding', 'http.accept_encoding'],
  ['date', 'http.date'],
  ['cache-control', 'http.cache_control'],
  ['server', 'http.server'],
  ['location', 'http.location'],
  ['sec-websocket-accept', 'http.sec_websocket_accept'],
  ['sec-websocket-extensions', 'http.sec_websocket_extensions'],
  ['sec-websocket-key', 'http.sec_websocket_key'],
  ['sec-websocket-protocol', 'http.sec_websocket_protocol'],
  ['sec-websocket-version', 'http.sec_websocket_version'],
  ['set-cookie', 'http.set_cookie'],
  ['last-modified', 'http.last_modified'],
  ['x-forwarded-for', 'http.x_forwarded_for'],
]);

/** Heads of HTTP/1.0 and 1.1 (RFC 9112), recognised by their first line; a body is `http.file_data`. */
export const http: LayerDefinition = {
  protocol: 'http',
  announcedBy: {},
  recognises: { in: 'tcp.payload', test: isHttpHead },
  dissect(packet) {
    const isResponse = responseStart.test(packet.peekText(9));
    if (isResponse) statusLine(packet);
    else requestLine(packet);
    const prefix = isResponse ? 'http.response' : 'http.request';
    for (let lines = 0; lines < maxHeaderLines; lines++) {
      if (headerLine(packet, prefix)) break;
    }
    if (packet.remaining > 0) packet.raw('http.file_data', packet.remaining);
  },
};

/** Whether the bytes at the cursor begin a request or a response. */
export function isHttpHead(packet: PacketReader): boolean {
  const start = packet.peekText(16);
  return requestStart.test(start) || responseStart.test(start);
}

/** Offset behind the line feed that ends the line at the cursor. */
function lineEnd(packet: PacketReader): number {
  const length = packet.find(0x0a);
  if (length < 0) {
    packet.isContinued = true;
    packet.need(packet.remaining + 1);
  }
  return packet.at + length + 1;
}

/** Bytes of the line at the cursor without its end. */
function lineLength(packet: PacketReader, end: number): number {
  const withReturn = end - packet.at >= 2 && packet.bytes[end - 2] === 0x0d;
  return end - packet.at - (withReturn ? 2 : 1);
}

function wordLength(packet: PacketReader, lineBytes: number): number {
  const length = packet.find(0x20);
  return length < 0 || length > lineBytes ? lineBytes : length;
}

function requestLine(packet: PacketReader): void {
  const start = packet.at;
  const end = lineEnd(packet);
  const length = lineLength(packet, end);
  const lineStop = start + length;
  packet.text('http.request.method', wordLength(packet, length));
  if (packet.at < lineStop) packet.skip(1);
  packet.text('http.request.uri', wordLength(packet, lineStop - packet.at));
  if (packet.at < lineStop) packet.skip(1);
  packet.text('http.request.version', lineStop - packet.at);
  packet.derived('http.request', true, start);
  packet.at = end;
}

function statusLine(packet: PacketReader): void {
  const start = packet.at;
  const end = lineEnd(packet);
  const lineStop = start + lineLength(packet, end);
  packet.text('http.response.version', wordLength(packet, lineStop - start));
  packet.skip(1);
  const codeLength = wordLength(packet, lineStop - packet.at);
  const code = Number(packet.peekText(codeLength));
  packet.span(
    'http.response.code',
    Number.isInteger(code) ? code : 0,
    packet.at,
    packet.at + codeLength,
  );
  packet.skip(codeLength);
  if (packet.at < lineStop) {
    packet.skip(1);
    packet.text('http.response.phrase', lineStop - packet.at);
  }
  packet.derived('http.response', true, start);
  packet.at = end;
}

/** Reads one header line; true for the empty line that ends the head. */
function headerLine(packet: PacketReader, prefix: string): boolean {
  const start = packet.at;
  const end = lineEnd(packet);
  const length = lineLength(packet, end);
  if (length === 0) {
    packet.at = end;
    return true;
  }
  const line = packet.text(`${prefix}.line`, end - start).slice(0, length);
  const colon = line.indexOf(':');
  const name = headerFields.get(line.slice(0, Math.max(0, colon)).toLowerCase());
  const value = line.slice(colon + 1).trim();
  if (name === undefined) packet.span('http.unknown_header', line, start, end);
  else packet.span(name, value, start, end);
  if (name === 'http.content_length_header' && /^\d{1,15}$/.test(value)) {
    packet.span('http.content_length', Number(value), start, end);
  }
  return false;
}
