import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { http, isHttpHead } from './http.ts';
import { names } from './names.ts';

const opcodes = names({
  0: 'Continuation',
  1: 'Text',
  2: 'Binary',
  8: 'Connection Close',
  9: 'Ping',
  10: 'Pong',
});
const closeOpcode = 8;
const utf8 = new TextDecoder('utf-8');

/**
 * WebSocket frames, RFC 6455 5.2. Nothing in a frame says that it is one: name the port in
 * `decodeAs`. The upgrade that comes first on the same port is read as HTTP.
 *
 *     |F|RSV 3|opcode 4|M| length 7 | extended length 0, 2, 8 | mask 0, 4 | payload ... |
 */
export const websocket: LayerDefinition = {
  protocol: 'websocket',
  announcedBy: {},
  dissect(packet) {
    if (isHttpHead(packet)) return packet.payloadIs(http);
    while (packet.remaining > 0) frame(packet);
  },
};

function frame(packet: PacketReader): void {
  const at = packet.at;
  packet.flag('websocket.fin', at, 0);
  packet.bits('websocket.rsv', at, 1, 3);
  const opcode = packet.bits('websocket.opcode', at, 4, 4, opcodes);
  const masked = packet.flag('websocket.mask', at + 1, 0);
  const short = packet.bits('websocket.payload_length', at + 1, 1, 7);
  packet.skip(2);
  const length = extendedLength(packet, short);
  const key = masked ? packet.raw('websocket.masking_key', 4) : undefined;
  packet.isContinued = length > packet.remaining;
  packet.need(length);
  payload(packet, opcode, length, key);
}

function extendedLength(packet: PacketReader, short: number): number {
  if (short < 126) return short;
  if (short === 126) return packet.u16('websocket.payload_length_ext_16');
  return Number(packet.u64('websocket.payload_length_ext_64'));
}

function payload(
  packet: PacketReader,
  opcode: number,
  length: number,
  key: Uint8Array | undefined,
): void {
  if (length === 0) return;
  const at = packet.at;
  // Not slice(), which gives a view of a Buffer.
  const bytes = new Uint8Array(packet.bytes.subarray(at, at + length));
  if (key !== undefined) {
    for (let index = 0; index < length; index++) {
      bytes[index] = bytes[index]! ^ key[index & 3]!;
    }
  }
  packet.raw(key === undefined ? 'websocket.payload' : 'websocket.masked_payload', length);
  if (opcode === 1) packet.span('websocket.payload.text', utf8.decode(bytes), at);
  else if (opcode === 9) packet.span('websocket.payload.ping', bytes, at);
  else if (opcode === 10) packet.span('websocket.payload.pong', bytes, at);
  else if (opcode === closeOpcode && length >= 2) closeReason(packet, bytes, at);
}

function closeReason(packet: PacketReader, bytes: Uint8Array, at: number): void {
  const code = (bytes[0]! << 8) | bytes[1]!;
  packet.span('websocket.payload.close.status_code', code, at, at + 2);
  if (bytes.length > 2) {
    packet.span('websocket.payload.close.reason', utf8.decode(bytes.subarray(2)), at + 2);
  }
}
