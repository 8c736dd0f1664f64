import { isIPv4, isIPv6 } from 'node:net';
import { AddressSyntaxError, quote } from './address-syntax-error.ts';
import { type Endpoint, TRANSPORTS, type Transport } from './address.ts';

const MAX_PORT = 65_535;
const MAX_CID = 0xffff_ffff;
// unix(7): sun_path has 108 bytes, the last of which is a path's NUL and an abstract name's first.
const MAX_PATH_BYTES = 107;
// RFC 1035, section 2.3.4.
const MAX_NAME = 253;
const MAX_LABEL = 63;

// What input methods of Chinese and Japanese give for a colon (U+FF1A).
const WIDE_COLON = '\uff1a';

const HOST_FORM = 'host:port, such as 127.0.0.1:8090';
const IPV6_FORM = 'an IPv6 address in brackets, such as [::1]:8090';

/**
 * Reads an address as people type it: `host:port` (TCP), `:port`, `[::1]:port`, `tcp://`, `udp://`,
 * `tls://`, `unix:///path`, `unix-dgram:///path`, `unix-seqpacket:///path`, `unix:@abstract`,
 * `vsock://cid:port`. Nothing is looked up.
 *
 * @throws AddressSyntaxError with the part that is wrong and the form that was expected; nothing else
 *
 * @example
 * assert.deepEqual(parseAddress('[::1]:80'), { transport: 'tcp', host: '::1', port: 80 });
 */
export function parseAddress(text: string): Endpoint {
  const scheme = /^([a-z][a-z0-9+.-]*):(\/\/|@)/i.exec(text);
  if (scheme === null) return hostEndpoint(text, 'tcp', withoutScheme(text));
  const [all, name = '', mark] = scheme;
  const transport = transportOf(text, name.toLowerCase());
  const isAbstract = mark === '@';
  const rest = text.slice(all.length);
  switch (transport) {
    case 'tcp':
    case 'udp':
    case 'tls':
      if (isAbstract)
        throw new AddressSyntaxError(text, 'it has no //', `${transport}://host:port`);
      return hostEndpoint(text, transport, rest);
    case 'unix':
    case 'unix-dgram':
    case 'unix-seqpacket':
      return { transport, path: isAbstract ? abstractName(text, rest) : unixPath(text, rest) };
    case 'vsock':
      if (isAbstract) throw new AddressSyntaxError(text, 'it has no //', 'vsock://cid:port');
      return vsockEndpoint(text, rest);
    default:
      return transport satisfies never;
  }
}

function transportOf(text: string, name: string): Transport {
  const found = TRANSPORTS.find((transport) => transport === name);
  if (found !== undefined) return found;
  throw new AddressSyntaxError(
    text,
    `${quote(name)} is no kind of socket`,
    `${TRANSPORTS.slice(0, -1).join(', ')} or ${TRANSPORTS.at(-1)} before ://`,
  );
}

/** What may still be meant where there is no `://`. */
function withoutScheme(text: string): string {
  if (text === '') throw new AddressSyntaxError(text, 'it is empty', HOST_FORM);
  if (/^unix[a-z-]*:/.test(text)) {
    const path = /^(unix[a-z-]*):(\/.*)/.exec(text);
    if (path !== null) {
      const [, kind, rest] = path;
      throw new AddressSyntaxError(text, 'it has no //', quote(`${kind}://${rest}`));
    }
    throw new AddressSyntaxError(text, 'the path is not absolute', 'unix:///path or unix:@name');
  }
  const bare = /^(tcp|udp|tls|vsock):(?=.*:)/.exec(text);
  if (bare !== null) {
    const [all, kind] = bare;
    const rest = text.slice(all.length);
    throw new AddressSyntaxError(text, 'it has no //', quote(`${kind}://${rest}`));
  }
  if (/^\.{0,2}\//.test(text)) {
    throw new AddressSyntaxError(text, 'it is a path', 'unix:///path for a Unix socket');
  }
  if (/^\d+$/.test(text)) {
    const port = Number(text) <= MAX_PORT ? text : '8090';
    throw new AddressSyntaxError(
      text,
      'it has no host',
      `host:port, such as 127.0.0.1:${port}, or :${port} (a server's every interface, a client's own machine)`,
    );
  }
  return text;
}

// ── host and port ────────────────────────────────────────────────────────────────────────────────

function hostEndpoint(text: string, transport: 'tcp' | 'udp' | 'tls', rest: string): Endpoint {
  if (rest.startsWith('[')) return bracketedEndpoint(text, transport, rest);
  const colon = rest.lastIndexOf(':');
  if (rest.includes(WIDE_COLON)) {
    throw new AddressSyntaxError(text, `its colon is the full-width ${WIDE_COLON}`, HOST_FORM);
  }
  if (colon < 0) throw new AddressSyntaxError(text, 'it has no port', HOST_FORM);
  const host = rest.slice(0, colon);
  if (host.includes(':')) {
    if (isIPv6(host) || isIPv6(rest)) {
      throw new AddressSyntaxError(text, 'the IPv6 address has no brackets', IPV6_FORM);
    }
    throw new AddressSyntaxError(
      text,
      'it has more than one colon',
      `${HOST_FORM}, or ${IPV6_FORM}`,
    );
  }
  return { transport, host: checkHost(text, host), port: portOf(text, rest.slice(colon + 1)) };
}

function bracketedEndpoint(text: string, transport: 'tcp' | 'udp' | 'tls', rest: string): Endpoint {
  const close = rest.indexOf(']');
  if (close < 0) throw new AddressSyntaxError(text, 'the bracket is not closed', IPV6_FORM);
  const host = rest.slice(1, close);
  if (!isIPv6(host)) {
    throw new AddressSyntaxError(text, `${quote(host)} is no IPv6 address`, IPV6_FORM);
  }
  if (rest[close + 1] !== ':') {
    throw new AddressSyntaxError(text, 'it has no port after the bracket', IPV6_FORM);
  }
  return { transport, host, port: portOf(text, rest.slice(close + 2)) };
}

function portOf(text: string, port: string): number {
  if (port === '') throw new AddressSyntaxError(text, 'the port is empty', HOST_FORM);
  if (!/^\d+$/.test(port)) {
    throw new AddressSyntaxError(text, `the port ${quote(port)} is no number`, HOST_FORM);
  }
  const value = Number(port);
  if (value > MAX_PORT) {
    throw new AddressSyntaxError(text, `the port ${quote(port)} is above ${MAX_PORT}`, HOST_FORM);
  }
  return value;
}

function checkHost(text: string, host: string): string {
  if (host === '' || isIPv4(host)) return host;
  const problem = hostProblem(host);
  if (problem !== undefined) throw new AddressSyntaxError(text, problem, HOST_FORM);
  return host;
}

/** Letters of every script pass: what the resolver gets is their ASCII form (RFC 3490). */
function hostProblem(host: string): string | undefined {
  const wrong = /[^\p{L}\p{M}\p{N}._-]/u.exec(host)?.[0];
  if (wrong !== undefined) return `the host has ${quote(wrong)}, which no host name has`;
  if (/^[\d.]+$/.test(host)) return `${quote(host)} is no IPv4 address`;
  const labels = host.replace(/\.$/, '').split('.');
  if (labels.includes('')) return `the host ${quote(host)} has an empty label`;
  if (host.length > MAX_NAME) return `the host has ${host.length} characters, above ${MAX_NAME}`;
  const long = labels.find((label) => label.length > MAX_LABEL);
  return long === undefined
    ? undefined
    : `the host's label ${quote(long)} is longer than ${MAX_LABEL} characters`;
}

// ── paths and numbers ────────────────────────────────────────────────────────────────────────────

function unixPath(text: string, path: string): string {
  const expected = 'three slashes and an absolute path, such as unix:///run/app.sock';
  if (path === '') throw new AddressSyntaxError(text, 'the path is empty', expected);
  if (!path.startsWith('/')) {
    throw new AddressSyntaxError(text, `the path ${quote(path)} is not absolute`, expected);
  }
  return checkName(text, path, 'path', expected);
}

function abstractName(text: string, name: string): string {
  if (name === '') throw new AddressSyntaxError(text, 'the name is empty', 'unix:@name');
  return `\0${checkName(text, name, 'name', 'unix:@name')}`;
}

function checkName(text: string, name: string, kind: 'path' | 'name', expected: string): string {
  if (name.includes('\0')) {
    throw new AddressSyntaxError(text, `the ${kind} has a NUL byte`, expected);
  }
  if (/\p{Surrogate}/u.test(name)) {
    throw new AddressSyntaxError(text, `the ${kind} is not valid Unicode`, expected);
  }
  const bytes = Buffer.byteLength(name);
  if (bytes > MAX_PATH_BYTES) {
    throw new AddressSyntaxError(
      text,
      `the ${kind} is too long (${bytes} bytes)`,
      `at most ${MAX_PATH_BYTES} bytes, as unix(7) limits it`,
    );
  }
  return name;
}

function vsockEndpoint(text: string, rest: string): Endpoint {
  const expected = 'vsock://cid:port, two numbers, such as vsock://2:8090';
  const [cid = '', port, ...more] = rest.split(':');
  if (port === undefined || more.length > 0) {
    throw new AddressSyntaxError(text, 'it is not two parts', expected);
  }
  const numberOf = (name: string, part: string): number => {
    if (/^\d{1,10}$/.test(part) && Number(part) <= MAX_CID) return Number(part);
    throw new AddressSyntaxError(
      text,
      `the ${name} ${quote(part)} is no number up to ${MAX_CID}`,
      expected,
    );
  };
  return {
    transport: 'vsock',
    cid: cid === '' ? undefined : numberOf('cid', cid),
    port: numberOf('port', port),
  };
}
