/**
 * Packets as values. Pure: bytes in, structures out; no socket, no timer, no file.
 *
 * - `build/`: headers with valid checksums around a payload
 * - `classify.ts`: the fast path, packet to ports and offsets; `dissect.ts`: packet to layers and fields
 * - `layers/`: one file a protocol; `layer-definition.ts` says what such a file holds
 * - `files/`: pcap and pcapng, read and written
 * - `filter/`: the filter language, compiled to BPF and run
 * - `fragments/`: IP fragments put together
 * - `conversations/`: TCP connections, UDP, pings; streams; sequence diagrams
 *
 * @module
 */
export {
  type EthernetFrame,
  ethernetFrame,
  linuxSll2Frame,
  linuxSllFrame,
  packetType,
} from './build/link-frame.ts';
export { type IpAddressLike } from './build/ip-address-bytes.ts';
export { type IpPacket, ipPacket } from './build/ip-packet.ts';
export { type SegmentPath } from './build/pseudo-header-sum.ts';
export { type TcpSegment, tcpSegment } from './build/tcp-segment.ts';
export { type UdpDatagram, udpDatagram } from './build/udp-datagram.ts';
export { crc32c } from './checksum/crc32c.ts';
export { internetChecksum, internetSum } from './checksum/internet-checksum.ts';
export { classify, PacketClass } from './classify.ts';
export {
  createDissector,
  type Dissection,
  type DissectOptions,
  type Dissector,
  type DissectorOptions,
} from './dissect.ts';
export { Field, type FieldValue } from './field.ts';
export { CaptureFileError } from './files/capture-file-error.ts';
export {
  type CaptureItem,
  type InterfaceItem,
  type NamesItem,
  type PacketInit,
  PacketItem,
  type SecretsItem,
  type SectionItem,
  type StatisticsItem,
  type UnknownItem,
} from './files/capture-item.ts';
export { CaptureReader, type CaptureReaderOptions } from './files/capture-reader.ts';
export { PacketRecords, type RecordedPacket } from './files/packet-records.ts';
export { PcapWriter, type PcapWriterOptions } from './files/pcap-writer.ts';
export { PcapngWriter } from './files/pcapng-writer.ts';
export type { BpfInstruction } from './filter/bpf-program.ts';
export { compileFilter, type CompileFilterOptions } from './filter/compile-filter.ts';
export { FilterError, type FilterPlace } from './filter/filter-error.ts';
export type { FilterNode, FilterValue } from './filter/filter-tree.ts';
export { parseFilter } from './filter/parse-filter.ts';
export { type BpfPacket, checkBpf, runBpf } from './filter/run-bpf.ts';
export { Layer } from './layer.ts';
export type { Announcements, LayerDefinition, Recognition } from './layer-definition.ts';
export { layersJson } from './layers-json.ts';
export { builtInLayers } from './layers/built-in-layers.ts';
export { lengthPrefixLayer, type LengthPrefixOptions } from './layers/length-prefix.ts';
export { linkType } from './layers/link-type.ts';
export { tcpFlag, tcpFlagText } from './layers/tcp-flags.ts';
export type { ChecksumStatus } from './layers/transport-checksum.ts';
export type { Meanings, PacketReader, Stop } from './packet-reader.ts';
export {
  type FragmentPacket,
  FragmentReassembler,
  type FragmentReassemblerOptions,
} from './fragments/fragment-reassembler.ts';
export {
  type Conversation,
  type ConversationEvent,
  ConversationTracker,
  type ConversationTrackerOptions,
  type StreamRest,
  type TrackedPacket,
} from './conversations/conversation-tracker.ts';
export type {
  Endpoint,
  PacketTime,
  RoundTripTimes,
  Side,
} from './conversations/conversation-types.ts';
export type { IcmpConversation } from './conversations/icmp-conversation.ts';
export { sequenceSvg, type SequenceSvgOptions } from './conversations/sequence-svg.ts';
export { sequenceText, type SequenceTextOptions } from './conversations/sequence-text.ts';
export {
  type StreamPart,
  StreamReassembler,
  type StreamReassemblerOptions,
} from './conversations/stream-reassembler.ts';
export type { TcpConversation } from './conversations/tcp-conversation.ts';
export type { TcpClose, TcpHandshake } from './conversations/tcp-lifecycle.ts';
export type { SequenceNumber, TcpSegmentNote, TcpStep } from './conversations/tcp-segment-note.ts';
export type { TcpMark, TcpSide } from './conversations/tcp-side.ts';
export type { TcpState } from './conversations/tcp-states.ts';
export type { Traffic, UdpConversation } from './conversations/udp-conversation.ts';
export { displayWidth, fitText } from './text/display-width.ts';
export { escapeText } from './text/escape-text.ts';
export type { DecodeAs } from './layer-finder.ts';
export { addConversationFields } from './conversations/add-conversation-fields.ts';
