import { errnoMessage, SO_EE_ORIGIN_LOCAL } from '@sockeye/net';
import type { ExtendedError } from './control-messages.ts';

// RFC 792, RFC 1122 section 3.2.2.1 and RFC 1812 section 5.2.7.1, as ping has always said them.
const UNREACHABLE_4 = [
  'Destination Net Unreachable',
  'Destination Host Unreachable',
  'Destination Protocol Unreachable',
  'Destination Port Unreachable',
  'Frag needed and DF set',
  'Source Route Failed',
  'Destination Net Unknown',
  'Destination Host Unknown',
  'Source Host Isolated',
  'Destination Net Prohibited',
  'Destination Host Prohibited',
  'Destination Net Unreachable for Type of Service',
  'Destination Host Unreachable for Type of Service',
  'Packet filtered',
  'Precedence Violation',
  'Precedence Cutoff',
];

// RFC 4443, section 3.1.
const UNREACHABLE_6 = [
  'No route',
  'Administratively prohibited',
  'Beyond scope of source address',
  'Address unreachable',
  'Port unreachable',
  'Source address failed ingress/egress policy',
  'Reject route to destination',
];

/** What an error of the error queue means, in ping's words. */
export function icmpErrorText(error: ExtendedError, version: 4 | 6): string {
  if (error.origin === SO_EE_ORIGIN_LOCAL) return localText(error);
  return version === 4 ? textOf4(error) : textOf6(error);
}

function localText({ errno, info }: ExtendedError): string {
  const text = errnoMessage.get(errno) ?? `errno ${errno}`;
  return info > 0 ? `${text} (mtu = ${info})` : text;
}

function textOf4({ type, code, info }: ExtendedError): string {
  switch (type) {
    case 3: {
      const text = UNREACHABLE_4[code] ?? `Destination Unreachable, Bad Code: ${code}`;
      return code === 4 ? `${text} (mtu = ${info})` : text;
    }
    case 4:
      return 'Source Quench';
    case 11:
      return code === 0 ? 'Time to live exceeded' : 'Frag reassembly time exceeded';
    case 12:
      return `Parameter problem: pointer = ${info}`;
    default:
      return `ICMP type ${type}, code ${code}`;
  }
}

function textOf6({ type, code, info }: ExtendedError): string {
  switch (type) {
    case 1:
      return `Destination unreachable: ${UNREACHABLE_6[code] ?? `Unknown code ${code}`}`;
    case 2:
      return `Packet too big: mtu=${info}`;
    case 3:
      return `Time exceeded: ${code === 0 ? 'Hop limit' : 'Defragmentation failure'}`;
    case 4: {
      const what = ['Wrong header field', 'Unknown header', 'Unknown option'][code];
      return `Parameter problem: ${what ?? `code ${code}`} at ${info}`;
    }
    default:
      return `ICMPv6 type ${type}, code ${code}`;
  }
}
