import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';
import { tlsGroupNames, tlsSignatureNames, tlsVersionNames } from './tls-names.ts';

type ExtensionReader = (packet: PacketReader, isClient: boolean) => void;

const pointFormats = names({
  0: 'uncompressed',
  1: 'ansiX962_compressed_prime',
  2: 'ansiX962_compressed_char2',
});

const readers: Readonly<Record<number, ExtensionReader>> = {
  0: serverName,
  10: supportedGroups,
  11: ecPointFormats,
  13: signatureAlgorithms,
  16: protocolNegotiation,
  21: (packet) => packet.raw('tls.handshake.extensions_padding_data', packet.remaining),
  43: supportedVersions,
  45: pskModes,
  51: keyShare,
  0xff01: renegotiationInfo,
};

/** The value of one extension; unknown ones become `tls.handshake.extension.data`. */
export function tlsExtension(packet: PacketReader, type: number, isClient: boolean): void {
  if (packet.remaining === 0) return;
  const read = readers[type];
  if (read !== undefined) read(packet, isClient);
  else packet.raw('tls.handshake.extension.data', packet.remaining);
}

/** RFC 6066 3. */
function serverName(packet: PacketReader): void {
  packet.u16('tls.handshake.extensions_server_name_list_len');
  while (packet.remaining > 0) {
    packet.u8('tls.handshake.extensions_server_name_type');
    const length = packet.u16('tls.handshake.extensions_server_name_len');
    packet.text('tls.handshake.extensions_server_name', length);
  }
}

/** RFC 8422 5.1.1. */
function supportedGroups(packet: PacketReader): void {
  packet.u16('tls.handshake.extensions_supported_groups_length');
  while (packet.remaining > 0) {
    packet.u16('tls.handshake.extensions_supported_group', tlsGroupNames);
  }
}

/** RFC 8422 5.1.2. */
function ecPointFormats(packet: PacketReader): void {
  packet.u8('tls.handshake.extensions_ec_point_formats_length');
  while (packet.remaining > 0) {
    packet.u8('tls.handshake.extensions_ec_point_format', pointFormats);
  }
}

/** RFC 8446 4.2.3; in TLS 1.2 the two bytes were a hash and a signature. */
function signatureAlgorithms(packet: PacketReader): void {
  packet.u16('tls.handshake.sig_hash_alg_len');
  while (packet.remaining > 0) {
    const at = packet.at;
    packet.u16('tls.handshake.sig_hash_alg', tlsSignatureNames);
    packet.bits('tls.handshake.sig_hash_hash', at, 0, 8);
    packet.bits('tls.handshake.sig_hash_sig', at, 8, 8);
  }
}

/** RFC 7301 3.1. */
function protocolNegotiation(packet: PacketReader): void {
  packet.u16('tls.handshake.extensions_alpn_len');
  while (packet.remaining > 0) {
    const length = packet.u8('tls.handshake.extensions_alpn_str_len');
    packet.text('tls.handshake.extensions_alpn_str', length);
  }
}

/** RFC 8446 4.2.1. */
function supportedVersions(packet: PacketReader, isClient: boolean): void {
  if (isClient) packet.u8('tls.handshake.extensions.supported_versions_len');
  while (packet.remaining > 0) {
    packet.u16('tls.handshake.extensions.supported_version', tlsVersionNames);
  }
}

/** RFC 5746 3.2. */
function renegotiationInfo(packet: PacketReader): void {
  const length = packet.u8('tls.handshake.extensions_reneg_info_len');
  if (length > 0) packet.raw('tls.handshake.extensions_reneg_info', length);
}

/** RFC 8446 4.2.9. */
function pskModes(packet: PacketReader): void {
  packet.u8('tls.extension.psk_ke_modes_length');
  while (packet.remaining > 0) packet.u8('tls.extension.psk_ke_mode');
}

/** RFC 8446 4.2.8; a HelloRetryRequest names the group only. */
function keyShare(packet: PacketReader, isClient: boolean): void {
  if (isClient) packet.u16('tls.handshake.extensions_key_share_client_length');
  else if (packet.remaining === 2) {
    packet.u16('tls.handshake.extensions_key_share_selected_group', tlsGroupNames);
  }
  while (packet.remaining > 0) {
    packet.u16('tls.handshake.extensions_key_share_group', tlsGroupNames);
    const length = packet.u16('tls.handshake.extensions_key_share_key_exchange_length');
    packet.raw('tls.handshake.extensions_key_share_key_exchange', length);
  }
}
