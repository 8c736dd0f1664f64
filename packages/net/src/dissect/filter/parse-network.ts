import { parseIpAddress } from '../text/parse-address.ts';
import type { NetworkProtocol } from './filter-tree.ts';
import type { TokenStream } from './token-stream.ts';

/** A network: its address and which bits of it count. */
export interface NetworkAddress {
  readonly bytes: Uint8Array;
  readonly mask: Uint8Array;
}

/**
 * `10.0.0.0/8`, `10.0.0.0 mask 255.0.0.0`, `10.1` (whose mask covers the bytes written),
 * `2001:db8::/32`.
 *
 * @throws FilterError when it is no network, or has bits behind its mask
 */
export function parseNetwork(
  tokens: TokenStream,
  protocol: NetworkProtocol | undefined,
): NetworkAddress {
  const place = tokens.peek();
  const written = writtenAddress(tokens);
  const mask = parseMask(tokens, written);
  const { bytes } = written;
  if (protocol !== undefined && (bytes.length === 16) !== (protocol === 'ip6')) {
    tokens.fail(protocol === 'ip6' ? 'an IPv6 network' : 'an IPv4 network', place);
  }
  if (bytes.some((byte, index) => (byte & ~mask[index]!) !== 0)) {
    tokens.fail('no bits of the address behind its mask', place);
  }
  return { bytes, mask };
}

function writtenAddress(tokens: TokenStream): { bytes: Uint8Array; bits: number } {
  const token = tokens.peek();
  const expected = 'a network: 10.0.0.0/8, 10.1 or 2001:db8::/32';
  if (token.kind !== 'address' && token.kind !== 'number') tokens.fail(expected);
  const parts = token.text.includes(':') ? [] : token.text.split('.');
  const missing = parts.length === 0 ? 0 : 4 - parts.length;
  const bytes = parseIpAddress(token.text + '.0'.repeat(missing));
  if (bytes === undefined) return tokens.fail(expected);
  tokens.take();
  return { bytes, bits: (bytes.length - missing) * 8 };
}

function parseMask(
  tokens: TokenStream,
  { bytes, bits }: { bytes: Uint8Array; bits: number },
): Uint8Array {
  if (tokens.accept('mask') !== undefined) {
    const token = tokens.peek();
    const mask = token.kind === 'address' ? parseIpAddress(token.text) : undefined;
    if (mask?.length !== 4 || bytes.length !== 4) return tokens.fail('a mask such as 255.0.0.0');
    tokens.take();
    return mask;
  }
  const width = bytes.length * 8;
  const length =
    tokens.accept('/') === undefined ? bits : tokens.number(`a length up to ${width}`, width);
  return bytes.map((_, index) => 0xff00 >> Math.min(8, Math.max(0, length - index * 8)));
}
