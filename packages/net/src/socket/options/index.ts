export type {
  GroupSource,
  Interface,
  Membership4,
  Membership6,
  PacketMembership,
  SourceFilter4,
  SourceMembership4,
  TcpMd5Key,
} from './address-codecs.ts';
export type { FilterInstruction } from './list-codecs.ts';
export type { OptionUnit } from './option-codec.ts';
export type {
  OptionInput,
  OptionName,
  OptionValue,
  ReadableOption,
  WritableOption,
} from './option-table.ts';
export type { TcpInfo } from './tcp-info.ts';
export { type ListedOption, TypedOptions } from './typed-options.ts';
