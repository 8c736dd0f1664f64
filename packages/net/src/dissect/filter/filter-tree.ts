import type { FilterPlace } from './filter-error.ts';

export type Direction = 'source' | 'destination' | 'either' | 'both';
export type Transport = 'tcp' | 'udp' | 'sctp';
export type NetworkProtocol = 'ip' | 'ip6' | 'arp' | 'rarp';
/** Protocols whose bytes a filter can look at: `tcp[13]`. */
export type LoadProtocol = 'ether' | NetworkProtocol | Transport | 'icmp' | 'icmp6' | 'igmp';
export type ArithmeticOperator = '+' | '-' | '*' | '/' | '%' | '&' | '|' | '^' | '<<' | '>>';
export type Comparison = '=' | '!=' | '>' | '<' | '>=' | '<=';

/** A number in a relation. */
export type FilterValue =
  | { readonly kind: 'number'; readonly value: number }
  | { readonly kind: 'length' }
  | {
      readonly kind: 'load';
      readonly protocol: LoadProtocol;
      readonly index: FilterValue;
      readonly size: 1 | 2 | 4;
    }
  | {
      readonly kind: 'arithmetic';
      readonly operator: ArithmeticOperator;
      readonly left: FilterValue;
      readonly right: FilterValue;
    };

/** What a filter says about a packet. */
export type FilterNode =
  | { readonly kind: 'and' | 'or'; readonly left: FilterNode; readonly right: FilterNode }
  | { readonly kind: 'not'; readonly operand: FilterNode }
  | {
      /** `host`, `net`: an address under a mask; protocol absent: any that has such addresses. */
      readonly kind: 'address';
      readonly protocol: NetworkProtocol | undefined;
      readonly direction: Direction;
      readonly bytes: Uint8Array;
      readonly mask: Uint8Array;
    }
  | {
      readonly kind: 'mac';
      readonly direction: Direction;
      readonly bytes: Uint8Array;
      readonly place: FilterPlace;
    }
  | {
      readonly kind: 'port';
      readonly transport: Transport | undefined;
      readonly direction: Direction;
      readonly first: number;
      readonly last: number;
    }
  | { readonly kind: 'etherType'; readonly value: number }
  | {
      /** A protocol over IP; family absent: over either. */
      readonly kind: 'ipProtocol';
      readonly family: 'ip' | 'ip6' | undefined;
      readonly value: number;
    }
  | {
      readonly kind: 'group';
      readonly protocol: 'ether' | 'ip' | 'ip6';
      readonly what: 'broadcast' | 'multicast';
      readonly place: FilterPlace;
    }
  | { readonly kind: 'vlan'; readonly id: number | undefined; readonly place: FilterPlace }
  | {
      readonly kind: 'relation';
      readonly operator: Comparison;
      readonly left: FilterValue;
      readonly right: FilterValue;
    };
