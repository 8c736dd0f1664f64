import type { LayerDefinition } from '../layer-definition.ts';
import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';
import { tlsHello } from './tls-hello.ts';
import { tlsVersionNames } from './tls-names.ts';

const handshakeRecord = 22;
// RFC 8446 5.1 and 5.2: 2^14 bytes and the expansion of TLS 1.2.
const maxRecord = 16384 + 2048;

const contentTypes = names({
  20: 'Change Cipher Spec',
  21: 'Alert',
  22: 'Handshake',
  23: 'Application Data',
  24: 'Heartbeat',
});
const handshakeTypes = names({
  0: 'Hello Request',
  1: 'Client Hello',
  2: 'Server Hello',
  4: 'New Session Ticket',
  8: 'Encrypted Extensions',
  11: 'Certificate',
  12: 'Server Key Exchange',
  13: 'Certificate Request',
  14: 'Server Hello Done',
  15: 'Certificate Verify',
  16: 'Client Key Exchange',
  20: 'Finished',
});
const alertLevels = names({ 1: 'Warning', 2: 'Fatal' });
const alerts = names({
  0: 'Close Notify',
  10: 'Unexpected Message',
  20: 'Bad Record MAC',
  40: 'Handshake Failure',
  42: 'Bad Certificate',
  43: 'Unsupported Certificate',
  44: 'Certificate Revoked',
  45: 'Certificate Expired',
  46: 'Certificate Unknown',
  47: 'Illegal Parameter',
  48: 'Unknown CA',
  50: 'Decode Error',
  51: 'Decrypt Error',
  70: 'Protocol Version',
  80: 'Internal Error',
  86: 'Inappropriate Fallback',
  112: 'Unrecognized Name',
  116: 'Certificate Required',
  120: 'No application Protocol',
});

/**
 * TLS records, RFC 8446 5.1; the hellos in full, other handshake messages by type, the rest opaque.
 * Recognised by its record header, on whatever port. A message that continues in the next segment
 * is read as far as it is there.
 *
 *     | content type | version | length | fragment ... |
 */
export const tls: LayerDefinition = {
  protocol: 'tls',
  announcedBy: {},
  recognises: { in: 'tcp.payload', test: isRecord },
  dissect(packet) {
    while (packet.remaining > 0) record(packet);
  },
};

function isRecord(packet: PacketReader): boolean {
  if (packet.remaining < 5) return false;
  const type = packet.peek8(0);
  const length = packet.peek16(3);
  return (
    type >= 20 &&
    type <= 24 &&
    packet.peek8(1) === 3 &&
    packet.peek8(2) <= 4 &&
    length > 0 &&
    length <= maxRecord
  );
}

function record(packet: PacketReader): void {
  const type = packet.u8('tls.record.content_type', contentTypes);
  packet.u16('tls.record.version', tlsVersionNames);
  const length = packet.u16('tls.record.length');
  if (length > maxRecord) packet.malformed(`a record of at most ${maxRecord} bytes`);
  packet.message(length, () => fragment(packet, type, length));
}

function fragment(packet: PacketReader, type: number, length: number): void {
  if (type === handshakeRecord) {
    if (isEncryptedHandshake(packet)) return;
    while (packet.remaining > 0) handshake(packet);
  } else if (type === 20) packet.skip(length);
  else if (type === 21 && length === 2) {
    packet.u8('tls.alert_message.level', alertLevels);
    packet.u8('tls.alert_message.desc', alerts);
  } else if (type === 23) packet.raw('tls.app_data', packet.remaining);
}

/** After ChangeCipherSpec of TLS 1.2 the type byte is ciphertext: a message that can't fit shows it. */
function isEncryptedHandshake(packet: PacketReader): boolean {
  return packet.remaining < 4 || handshakeTypes(packet.peek8(0)) === undefined;
}

function handshake(packet: PacketReader): void {
  const type = packet.u8('tls.handshake.type', handshakeTypes);
  const length = packet.u24('tls.handshake.length');
  packet.message(length, () => {
    if (type === 1 || type === 2) tlsHello(packet, type === 1);
  });
}
