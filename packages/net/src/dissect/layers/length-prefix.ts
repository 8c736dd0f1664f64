import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';

/** How the length is written; the same words as the codec of that name. */
export interface LengthPrefixOptions {
  /** Bytes of the length; default 4. */
  readonly bytes?: 1 | 2 | 4 | 8;
  /** Default `big`. */
  readonly endian?: 'big' | 'little';
  /** The length counts its own bytes too; default false. */
  readonly includesPrefix?: boolean;
  /** The layer's name, and the prefix of its fields; default `length-prefix`. */
  readonly protocol?: string;
  /** TCP ports on which it is spoken; default none, so that `decodeAs` must name one. */
  readonly tcpPorts?: readonly number[];
}

/**
 * A layer for messages with a length in front, as `lengthPrefix()` of `@sockeye/net/codec` writes
 * them. A message that continues in the next segment is read as far as it is there.
 *
 * @example
 * ```ts
 * const chat = lengthPrefixLayer({ bytes: 2, protocol: 'chat', tcpPorts: [8090] });
 * assert.deepEqual(chat.announcedBy, { 'tcp.port': [8090] });
 * ```
 */
export function lengthPrefixLayer(options: LengthPrefixOptions = {}): LayerDefinition {
  const { bytes = 4, endian = 'big', includesPrefix = false } = options;
  const { protocol = 'length-prefix', tcpPorts = [] } = options;
  return {
    protocol,
    announcedBy: { 'tcp.port': tcpPorts },
    dissect(packet) {
      while (packet.remaining > 0) {
        const written = readLength(packet, bytes, endian);
        packet.span(`${protocol}.length`, written, packet.at - bytes);
        const length = includesPrefix ? written - bytes : written;
        if (length < 0) packet.malformed(`a length of ${bytes} or more instead of ${written}`);
        packet.isContinued = length > packet.remaining;
        if (length > 0) packet.raw(`${protocol}.message`, length);
      }
    },
  };
}

function readLength(packet: PacketReader, bytes: number, endian: 'big' | 'little'): number {
  let length = 0;
  for (let index = 0; index < bytes; index++) {
    length = length * 256 + packet.peek8(endian === 'big' ? index : bytes - 1 - index);
  }
  packet.skip(bytes);
  return length;
}

/** Four bytes, most significant first: the codec's default. */
export const lengthPrefix: LayerDefinition = lengthPrefixLayer();
