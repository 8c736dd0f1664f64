import type { PacketReader } from '../packet-reader.ts';
import { tlsExtension } from './tls-extensions.ts';
import { tlsCipherNames, tlsExtensionNames, tlsVersionNames } from './tls-names.ts';

/**
 * ClientHello and ServerHello, RFC 8446 4.1.2 and 4.1.3: they differ in lists against one choice.
 *
 *     | version | random 32 | session id | cipher suite(s) | compression(s) | extensions |
 */
export function tlsHello(packet: PacketReader, isClient: boolean): void {
  packet.u16('tls.handshake.version', tlsVersionNames);
  packet.raw('tls.handshake.random', 32);
  const sessionLength = packet.u8('tls.handshake.session_id_length');
  if (sessionLength > 0) packet.raw('tls.handshake.session_id', sessionLength);
  if (isClient) clientChoices(packet);
  else serverChoice(packet);
  if (packet.remaining === 0) return;
  const length = packet.u16('tls.handshake.extensions_length');
  packet.limit(length);
  while (packet.remaining > 0) extension(packet, isClient);
}

function clientChoices(packet: PacketReader): void {
  const ciphersLength = packet.u16('tls.handshake.cipher_suites_length');
  packet.region(ciphersLength, () => {
    while (packet.remaining > 0) packet.u16('tls.handshake.ciphersuite', tlsCipherNames);
  });
  const methods = packet.u8('tls.handshake.comp_methods_length');
  for (let method = 0; method < methods; method++) packet.u8('tls.handshake.comp_method');
}

function serverChoice(packet: PacketReader): void {
  packet.u16('tls.handshake.ciphersuite', tlsCipherNames);
  packet.u8('tls.handshake.comp_method');
}

function extension(packet: PacketReader, isClient: boolean): void {
  const type = packet.u16('tls.handshake.extension.type', tlsExtensionNames);
  const length = packet.u16('tls.handshake.extension.len');
  packet.region(length, () => tlsExtension(packet, type, isClient));
}
