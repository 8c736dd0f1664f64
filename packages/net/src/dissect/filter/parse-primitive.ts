import { parseIpAddress, parseMacAddress } from '../text/parse-address.ts';
import type { FilterPlace } from './filter-error.ts';
import type { Direction, FilterNode, NetworkProtocol, Transport } from './filter-tree.ts';
import { etherTypeWords, ipProtocolWords, protocolNodes } from './filter-words.ts';
import { parseNetwork } from './parse-network.ts';
import type { TokenStream } from './token-stream.ts';

type Type = 'host' | 'net' | 'port' | 'portrange' | 'proto';

/** What stands before an address or a port; the next one without any takes them over. */
export interface Qualifiers {
  readonly protocol: string | undefined;
  readonly direction: Direction | undefined;
  readonly type: Type | undefined;
  readonly place: FilterPlace;
}

interface Primitive {
  readonly node: FilterNode;
  readonly qualifiers: Qualifiers | undefined;
}

const types: ReadonlySet<string> = new Set<Type>(['host', 'net', 'port', 'portrange', 'proto']);
const maxLength = 0xffffffff;

function isType(word: string): word is Type {
  return types.has(word);
}

/** One primitive: qualifiers with what they qualify, or a word that stands alone. */
export function parsePrimitive(tokens: TokenStream, last: Qualifiers | undefined): Primitive {
  const lone = parseLoneWord(tokens);
  if (lone !== undefined) return { node: lone, qualifiers: undefined };
  const own = parseQualifiers(tokens);
  const isBare =
    own.protocol === undefined && own.direction === undefined && own.type === undefined;
  const qualifiers = isBare ? (last ?? own) : own;
  const follows = tokens.peek();
  if (!isBare && follows.text === '(') return { node: parseList(tokens, qualifiers), qualifiers };
  if (!isBare && isStandingAlone(own, follows.kind)) {
    const node = protocolNodes.get(own.protocol ?? '');
    if (node !== undefined) return { node, qualifiers: undefined };
  }
  return { node: parseOperand(tokens, qualifiers), qualifiers };
}

function isStandingAlone(own: Qualifiers, next: string): boolean {
  const onlyProtocol = own.direction === undefined && own.type === undefined;
  return onlyProtocol && next !== 'address' && next !== 'number' && next !== 'mac';
}

/** `vlan`, `greater`, `less`, `broadcast`, `multicast`. */
function parseLoneWord(tokens: TokenStream): FilterNode | undefined {
  const place = tokens.peek();
  const length = tokens.accept('greater', 'less');
  if (length !== undefined) {
    const value = tokens.number('a length in bytes', maxLength);
    const operator = length.text === 'greater' ? '>=' : '<=';
    return {
      kind: 'relation',
      operator,
      left: { kind: 'length' },
      right: { kind: 'number', value },
    };
  }
  if (tokens.accept('vlan') !== undefined) {
    const hasId = tokens.peek().kind === 'number';
    const id = hasId ? tokens.number('a VLAN identifier up to 4095', 4095) : undefined;
    return { kind: 'vlan', id, place };
  }
  return parseGroup(tokens);
}

function parseGroup(tokens: TokenStream): FilterNode | undefined {
  const place = tokens.peek();
  const isQualified = ['ether', 'link', 'ip', 'ip6'].includes(place.text);
  const what = tokens.peek(isQualified ? 1 : 0).text;
  if (what !== 'broadcast' && what !== 'multicast') return undefined;
  if (isQualified) tokens.take();
  const protocol = place.text === 'ip' || place.text === 'ip6' ? place.text : 'ether';
  if (protocol !== 'ether' && what === 'broadcast') {
    tokens.fail('"multicast": the broadcast address depends on the network mask');
  }
  tokens.take();
  return { kind: 'group', protocol, what, place };
}

function parseQualifiers(tokens: TokenStream): Qualifiers {
  const place = tokens.peek();
  const isProtocol = protocolNodes.has(place.text) || ['ether', 'link'].includes(place.text);
  const protocol = isProtocol ? tokens.take().text.replace('link', 'ether') : undefined;
  const direction = parseDirection(tokens);
  const word = tokens.peek().text;
  const type = isType(word) ? word : undefined;
  if (type !== undefined) tokens.take();
  const end = Math.max(place.start, tokens.peek().start - 1);
  return { protocol, direction, type, place: { start: place.start, end } };
}

function parseDirection(tokens: TokenStream): Direction | undefined {
  const first = tokens.accept('src', 'dst');
  if (first === undefined) return undefined;
  const other = first.text === 'src' ? 'dst' : 'src';
  const joined = tokens.peek().text;
  if ((joined === 'or' || joined === 'and') && tokens.peek(1).text === other) {
    tokens.take();
    tokens.take();
    return joined === 'or' ? 'either' : 'both';
  }
  return first.text === 'src' ? 'source' : 'destination';
}

/** `port (80 or 443)`: the qualifiers hold for everything inside. */
function parseList(tokens: TokenStream, qualifiers: Qualifiers): FilterNode {
  tokens.expect('(');
  let node = parseOperand(tokens, qualifiers);
  for (;;) {
    const operator = tokens.accept('or', '||', 'and', '&&');
    if (operator === undefined) break;
    const kind = operator.text === 'or' || operator.text === '||' ? 'or' : 'and';
    node = { kind, left: node, right: parseOperand(tokens, qualifiers) };
  }
  tokens.expect(')');
  return node;
}

function parseOperand(tokens: TokenStream, qualifiers: Qualifiers): FilterNode {
  const { type } = qualifiers;
  if (type === 'port' || type === 'portrange') return parsePort(tokens, qualifiers);
  if (type === 'proto') return parseProtocol(tokens, qualifiers);
  if (type === 'net') return parseNet(tokens, qualifiers);
  return parseHost(tokens, qualifiers);
}

function parsePort(
  tokens: TokenStream,
  { protocol, direction, type, place }: Qualifiers,
): FilterNode {
  if (protocol !== undefined && !isTransport(protocol)) {
    tokens.fail('"tcp", "udp" or "sctp" before a port', place);
  }
  const transport = protocol !== undefined && isTransport(protocol) ? protocol : undefined;
  const first = tokens.number('a port number up to 65535', 65535);
  let last = first;
  if (type === 'portrange') {
    if (tokens.accept('-') === undefined) tokens.fail('"-" and the last port of the range');
    last = tokens.number('a port number up to 65535', 65535);
  }
  const [low, high] = first <= last ? [first, last] : [last, first];
  return { kind: 'port', transport, direction: direction ?? 'either', first: low, last: high };
}

function isTransport(protocol: string): protocol is Transport {
  return protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp';
}

function isNetwork(protocol: string): protocol is NetworkProtocol {
  return ['ip', 'ip6', 'arp', 'rarp'].includes(protocol);
}

function parseProtocol(tokens: TokenStream, { protocol, place }: Qualifiers): FilterNode {
  if (protocol === 'ether') {
    const value = tokens.number('an EtherType up to 65535', 65535, etherTypeWords);
    return { kind: 'etherType', value };
  }
  if (protocol !== undefined && protocol !== 'ip' && protocol !== 'ip6') {
    return tokens.fail('"ether", "ip" or "ip6" before "proto"', place);
  }
  const value = tokens.number('an IP protocol up to 255', 255, ipProtocolWords);
  return { kind: 'ipProtocol', family: protocol, value };
}

function networkProtocol(tokens: TokenStream, { protocol, place }: Qualifiers) {
  if (protocol === undefined || isNetwork(protocol)) return protocol;
  return tokens.fail('"ip", "ip6", "arp" or "ether" before an address', place);
}

function parseNet(tokens: TokenStream, qualifiers: Qualifiers): FilterNode {
  const protocol = networkProtocol(tokens, qualifiers);
  const network = parseNetwork(tokens, protocol);
  return { kind: 'address', protocol, direction: qualifiers.direction ?? 'either', ...network };
}

function parseHost(tokens: TokenStream, qualifiers: Qualifiers): FilterNode {
  const token = tokens.peek();
  const direction = qualifiers.direction ?? 'either';
  if (qualifiers.protocol === 'ether') {
    const mac = token.kind === 'mac' ? parseMacAddress(token.text) : undefined;
    if (mac === undefined)
      return tokens.fail('a MAC address, "host", "proto", "broadcast" or "multicast"');
    tokens.take();
    return { kind: 'mac', direction, bytes: mac, place: token };
  }
  const protocol = networkProtocol(tokens, qualifiers);
  const bytes = token.kind === 'address' ? parseIpAddress(token.text) : undefined;
  if (bytes === undefined) return tokens.fail(expectedHost(qualifiers));
  if (protocol !== undefined && (bytes.length === 16) !== (protocol === 'ip6')) {
    return tokens.fail(protocol === 'ip6' ? 'an IPv6 address' : 'an IPv4 address');
  }
  tokens.take();
  return { kind: 'address', protocol, direction, bytes, mask: bytes.map(() => 255) };
}

function expectedHost({ type, direction, protocol }: Qualifiers): string {
  if (type === 'host') return 'an IP address (names are not looked up)';
  if (direction !== undefined) return '"host", "net", "port" or an IP address';
  if (protocol !== undefined) return '"src", "dst", "host", "net", "port", "proto" or an address';
  return 'a protocol, "host", "net", "port", "src", "dst", "len", "vlan", "not", "(" or an address';
}
