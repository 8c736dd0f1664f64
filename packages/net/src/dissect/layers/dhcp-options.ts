import type { PacketReader } from '../packet-reader.ts';
import { names } from './names.ts';

// iana.org/assignments/bootp-dhcp-parameters.
const optionTypes = names({
  0: 'Padding',
  1: 'Subnet Mask',
  3: 'Router',
  6: 'Domain Name Server',
  12: 'Host Name',
  15: 'Domain Name',
  26: 'Interface MTU',
  28: 'Broadcast Address',
  42: 'Network Time Protocol Servers',
  43: 'Vendor-Specific Information',
  50: 'Requested IP Address',
  51: 'IP Address Lease Time',
  52: 'Option Overload',
  53: 'DHCP Message Type',
  54: 'DHCP Server Identifier',
  55: 'Parameter Request List',
  56: 'Message',
  57: 'Maximum DHCP Message Size',
  58: 'Renewal Time Value',
  59: 'Rebinding Time Value',
  60: 'Vendor class identifier',
  61: 'Client identifier',
  81: 'Client Fully Qualified Domain Name',
  82: 'Agent Information Option',
  121: 'Classless Static Route',
  255: 'End',
});
const messageTypes = names({
  1: 'Discover',
  2: 'Offer',
  3: 'Request',
  4: 'Decline',
  5: 'ACK',
  6: 'NAK',
  7: 'Release',
  8: 'Inform',
});

type OptionReader = (packet: PacketReader) => void;

const addresses =
  (name: string): OptionReader =>
  (packet) => {
    while (packet.remaining > 0) packet.ipv4(name);
  };
const seconds =
  (name: string): OptionReader =>
  (packet) =>
    packet.u32(name);
const text =
  (name: string): OptionReader =>
  (packet) =>
    packet.text(name, packet.remaining);

// Option → its value.
const readers: Readonly<Record<number, OptionReader>> = {
  1: addresses('dhcp.option.subnet_mask'),
  3: addresses('dhcp.option.router'),
  6: addresses('dhcp.option.domain_name_server'),
  12: text('dhcp.option.hostname'),
  15: text('dhcp.option.domain_name'),
  26: (packet) => packet.u16('dhcp.option.interface_mtu'),
  28: addresses('dhcp.option.broadcast_address'),
  42: addresses('dhcp.option.ntp_server'),
  50: addresses('dhcp.option.requested_ip_address'),
  51: seconds('dhcp.option.ip_address_lease_time'),
  53: (packet) => packet.u8('dhcp.option.dhcp', messageTypes),
  54: addresses('dhcp.option.dhcp_server_id'),
  55: requestList,
  56: text('dhcp.option.message'),
  57: (packet) => packet.u16('dhcp.option.dhcp_max_message_size'),
  58: seconds('dhcp.option.renewal_time_value'),
  59: seconds('dhcp.option.rebinding_time_value'),
  60: text('dhcp.option.vendor_class_id'),
  61: clientIdentifier,
};

/** Options up to the end mark, RFC 2132 2: type, length, value; 0 and 255 have neither of the latter. */
export function dhcpOptions(packet: PacketReader): void {
  while (packet.remaining > 0) {
    const type = packet.u8('dhcp.option.type', optionTypes);
    if (type === 0) continue;
    if (type === 255) return end(packet);
    const length = packet.u8('dhcp.option.length');
    optionValue(packet, type, length);
  }
}

function optionValue(packet: PacketReader, type: number, length: number): void {
  packet.need(length);
  const at = packet.at;
  packet.span('dhcp.option.value', packet.bytes.subarray(at, at + length), at, at + length);
  packet.region(length, () => readers[type]?.(packet));
}

function end(packet: PacketReader): void {
  packet.derived('dhcp.option.end', 255, packet.at - 1);
  if (packet.remaining > 0) packet.raw('dhcp.option.padding', packet.remaining);
}

function requestList(packet: PacketReader): void {
  while (packet.remaining > 0) packet.u8('dhcp.option.request_list_item', optionTypes);
}

function clientIdentifier(packet: PacketReader): void {
  const hardware = packet.u8('dhcp.hw.type');
  if (hardware === 1 && packet.remaining === 6) packet.mac('dhcp.hw.mac_addr');
  else if (packet.remaining > 0) packet.raw('dhcp.client_id', packet.remaining);
}
