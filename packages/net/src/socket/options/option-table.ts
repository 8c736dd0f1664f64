import { icmpOptions, ipOptions, ipv6Options } from './ip-options.ts';
import type { OptionRow } from './option-row.ts';
import {
  canOptions,
  netlinkOptions,
  packetOptions,
  tipcOptions,
  vsockOptions,
} from './other-family-options.ts';
import { socketLevelOptions } from './socket-level-options.ts';
import { mptcpOptions, sctpOptions, tcpOptions, udpOptions } from './transport-options.ts';

/** Every option that has a type, by name. */
export const optionTable = {
  ...socketLevelOptions,
  ...ipOptions,
  ...ipv6Options,
  ...icmpOptions,
  ...tcpOptions,
  ...udpOptions,
  ...mptcpOptions,
  ...sctpOptions,
  ...packetOptions,
  ...netlinkOptions,
  ...vsockOptions,
  ...canOptions,
  ...tipcOptions,
} as const;

type Table = typeof optionTable;

export type OptionName = keyof Table;

/** What `get` gives for an option; never for one that can only be set. */
export type OptionValue<Name extends OptionName> =
  Table[Name] extends OptionRow<infer Value, never> ? Value : never;

/** What `set` takes for an option; never for one that can only be read. */
export type OptionInput<Name extends OptionName> =
  Table[Name] extends OptionRow<unknown, infer Input> ? Input : never;

export type ReadableOption = {
  [Name in OptionName]: [OptionValue<Name>] extends [never] ? never : Name;
}[OptionName];

export type WritableOption = {
  [Name in OptionName]: [OptionInput<Name>] extends [never] ? never : Name;
}[OptionName];
