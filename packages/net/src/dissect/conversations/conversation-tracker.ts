import { classify, PacketClass } from '../classify.ts';
import { ipProtocol } from '../layers/ip-protocol.ts';
import { linkType } from '../layers/link-type.ts';
import { tcpFlag } from '../layers/tcp-flags.ts';
import { ipv4Text, ipv6Text } from '../text/address-text.ts';
import type { Endpoint, PacketTime, Side } from './conversation-types.ts';
import { IcmpConversation } from './icmp-conversation.ts';
import { type StreamPart, StreamReassembler } from './stream-reassembler.ts';
import { TcpConversation } from './tcp-conversation.ts';
import type { TcpSegmentNote } from './tcp-segment-note.ts';
import { UdpConversation } from './udp-conversation.ts';

export type Conversation = TcpConversation | UdpConversation | IcmpConversation;

/** Bounds of a tracker. */
export interface ConversationTrackerOptions {
  /** Conversations at most; default 65536, arbitrary. Those silent for longest are forgotten first. */
  readonly maxConversations?: number;
  /** Segments remembered of each TCP connection, the first and the last half of it; default 256. */
  readonly maxSegments?: number;
  /** Put the payload of TCP connections in order; default false. */
  readonly streams?: boolean;
  /** Bytes held of each direction of a stream while a hole is open; default 1 MiB. */
  readonly maxBufferedBytes?: number;
}

/** A packet for the tracker; a `PacketItem` with its buffer is one. */
export interface TrackedPacket extends PacketTime {
  readonly buffer: Uint8Array;
  /** Default 0. */
  readonly start?: number;
  /** Default the length of `buffer`. */
  readonly end?: number;
  /** LINKTYPE_ number; default 1, Ethernet. */
  readonly linkType?: number;
}

/** What waited for a hole in a stream that nothing fills any more, the gaps before it among it. */
export interface StreamRest {
  readonly conversation: Conversation;
  readonly from: Side;
  readonly stream: readonly StreamPart[];
}

/** What a packet did to its conversation. */
export interface ConversationEvent {
  readonly conversation: Conversation;
  readonly from: Side;
  /** The first packet of it. */
  readonly isNew: boolean;
  /** Of TCP. */
  readonly segment?: TcpSegmentNote;
  /** Of an ICMP echo reply, in nanoseconds. */
  readonly rttNs?: number;
  /** With `streams`: payload that is in order now, sent by `from`. */
  readonly stream?: readonly StreamPart[];
  /** With `streams`: of the connection before, which had the same addresses. */
  readonly rests?: readonly StreamRest[];
}

interface Entry {
  readonly conversation: Conversation;
  /** The client's half of the key, to tell the sides apart. */
  readonly clientKey: string;
  readonly streams: Readonly<Record<Side, StreamReassembler>> | undefined;
}

/**
 * Follows every TCP, UDP and ICMP-echo conversation of a capture.
 *
 * `push()` takes the packets in their order and says what each one did; it never throws on their
 * bytes. Fragments other than the first and packets that are no such conversation give undefined:
 * put a `FragmentReassembler` before it where fragments matter.
 *
 * @example
 * ```ts
 * const tracker = new ConversationTracker();
 * assert.equal(tracker.push({ buffer: new Uint8Array(9), seconds: 0, nanoseconds: 0 }), undefined);
 * assert.deepEqual([...tracker.conversations()], []);
 * ```
 */
export class ConversationTracker {
  readonly #maxConversations: number;
  readonly #maxSegments: number;
  readonly #hasStreams: boolean;
  readonly #maxBufferedBytes: number;
  readonly #found = new PacketClass();
  // A Map iterates in the order of insertion, and every packet inserts its conversation anew.
  readonly #entries = new Map<string, Entry>();
  readonly #over: Conversation[] = [];
  #count = 0;
  #forgotten = 0;

  constructor(options: ConversationTrackerOptions = {}) {
    this.#maxConversations = options.maxConversations ?? 65_536;
    this.#maxSegments = options.maxSegments ?? 256;
    this.#hasStreams = options.streams ?? false;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 1024 * 1024;
  }

  /** Conversations dropped because there were more than `maxConversations`. */
  get forgotten(): number {
    return this.#forgotten;
  }

  /** All that are remembered, those that are over and whose addresses began another first. */
  *conversations(): Generator<Conversation, void, undefined> {
    yield* this.#over;
    for (const { conversation } of this.#entries.values()) yield conversation;
  }

  /** For the end of a capture: with `streams`, what still waits for a hole. */
  end(): StreamRest[] {
    return [...this.#entries.values()].flatMap(restsOf);
  }

  /** `number` is the packet's in the capture; default its place among those pushed, from 1. */
  push(packet: TrackedPacket, number = this.#count + 1): ConversationEvent | undefined {
    this.#count++;
    const { buffer, start = 0, end = buffer.length, seconds, nanoseconds } = packet;
    const found = this.#found;
    const link = packet.linkType ?? linkType.ethernet;
    if (!classify(buffer, link, found, start, end) || found.transportAt < 0) return undefined;
    const time = { seconds, nanoseconds };
    if (found.protocol === ipProtocol.tcp) return this.#tcp(buffer, { number, time });
    if (found.protocol === ipProtocol.udp) return this.#udp(buffer, time);
    return this.#icmp(buffer, time, end);
  }

  #tcp(bytes: Uint8Array, at: { number: number; time: PacketTime }): ConversationEvent {
    const found = this.#found;
    const { key, sourceKey } = this.#keys(bytes, found.sourcePort, found.destinationPort);
    const known = this.#entries.get(key);
    const isReused = known !== undefined && this.#opensAnother(known, sourceKey);
    const rests = isReused ? this.#retire(known, key) : [];
    const entry = (isReused ? undefined : known) ?? this.#newTcp(bytes, sourceKey, at.time);
    this.#keep(key, entry);
    const from: Side = entry.clientKey === sourceKey ? 'client' : 'server';
    const { conversation, streams } = entry;
    if (conversation.type !== 'tcp')
      throw new TypeError('Cannot track packet: key of another type');
    const segment = conversation.add({ bytes, found, from, ...at });
    const isNew = entry !== known;
    if (streams === undefined) return { conversation, from, isNew, segment };
    const stream = this.#stream(bytes, streams[from]);
    return { conversation, from, isNew, segment, stream, rests };
  }

  /** A SYN behind a connection that is over, or with another number than the SYN before: not one sent again. */
  #opensAnother({ conversation, clientKey }: Entry, sourceKey: string): boolean {
    const { flags, sequence } = this.#found;
    const isOpening = (flags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn;
    if (!isOpening || conversation.type !== 'tcp') return false;
    const initial =
      conversation.sides[clientKey === sourceKey ? 'client' : 'server'].initialSequence;
    return conversation.isOver || (initial >= 0 && initial !== sequence);
  }

  #newTcp(bytes: Uint8Array, sourceKey: string, time: PacketTime): Entry {
    const found = this.#found;
    const source = this.#endpoint(bytes, found.sourceAt, found.sourcePort);
    const destination = this.#endpoint(bytes, found.destinationAt, found.destinationPort);
    const isFromServer = sentByServer(found);
    const [client, server] = isFromServer ? [destination, source] : [source, destination];
    const destinationKey = this.#half(bytes, found.destinationAt, found.destinationPort);
    return {
      conversation: new TcpConversation({
        client,
        server,
        start: time,
        maxSegments: this.#maxSegments,
      }),
      clientKey: isFromServer ? destinationKey : sourceKey,
      streams: this.#hasStreams ? this.#newStreams() : undefined,
    };
  }

  #newStreams(): Record<Side, StreamReassembler> {
    const options = { maxBufferedBytes: this.#maxBufferedBytes };
    return { client: new StreamReassembler(options), server: new StreamReassembler(options) };
  }

  #stream(bytes: Uint8Array, stream: StreamReassembler): StreamPart[] {
    const { flags, sequence, payloadAt, payloadLength } = this.#found;
    const isSyn = (flags & tcpFlag.syn) !== 0;
    if (isSyn) stream.start((sequence + 1) >>> 0);
    if ((flags & tcpFlag.rst) !== 0) return [];
    const first = isSyn ? (sequence + 1) >>> 0 : sequence;
    return stream.push(first, bytes.subarray(payloadAt, payloadAt + payloadLength));
  }

  #udp(bytes: Uint8Array, time: PacketTime): ConversationEvent {
    const found = this.#found;
    const { key, sourceKey } = this.#keys(bytes, found.sourcePort, found.destinationPort);
    const known = this.#entries.get(key);
    const entry = known ?? {
      conversation: new UdpConversation(
        this.#endpoint(bytes, found.sourceAt, found.sourcePort),
        this.#endpoint(bytes, found.destinationAt, found.destinationPort),
        time,
      ),
      clientKey: sourceKey,
      streams: undefined,
    };
    this.#keep(key, entry);
    const from: Side = entry.clientKey === sourceKey ? 'client' : 'server';
    const { conversation } = entry;
    if (conversation.type === 'udp') conversation.add(found, from, time);
    return { conversation, from, isNew: known === undefined };
  }

  /** Echo requests and replies of either ICMP; the identifier stands for the ports. */
  #icmp(bytes: Uint8Array, time: PacketTime, end: number): ConversationEvent | undefined {
    const found = this.#found;
    const at = found.transportAt;
    if (at + 8 > end) return undefined;
    const kind = echoKind(found.protocol, bytes[at]!);
    if (kind === undefined) return undefined;
    const identifier = (bytes[at + 4]! << 8) | bytes[at + 5]!;
    const sequence = (bytes[at + 6]! << 8) | bytes[at + 7]!;
    const { key, sourceKey } = this.#keys(bytes, identifier, identifier);
    const known = this.#entries.get(key);
    const entry = known ?? this.#newIcmp(bytes, { identifier, time, kind });
    this.#keep(key, entry);
    const { conversation } = entry;
    const from: Side = entry.clientKey === sourceKey ? 'client' : 'server';
    const isNew = known === undefined;
    if (conversation.type !== 'icmp') return undefined;
    if (kind === 'request') {
      conversation.request(sequence, time);
      return { conversation, from, isNew };
    }
    const rttNs = conversation.reply(sequence, time);
    return { conversation, from, isNew, ...(rttNs === undefined ? {} : { rttNs }) };
  }

  #newIcmp(
    bytes: Uint8Array,
    about: { identifier: number; time: PacketTime; kind: 'request' | 'reply' },
  ): Entry {
    const { sourceAt, destinationAt } = this.#found;
    const [clientAt, serverAt] =
      about.kind === 'request' ? [sourceAt, destinationAt] : [destinationAt, sourceAt];
    const client = this.#endpoint(bytes, clientAt, 0);
    const server = this.#endpoint(bytes, serverAt, 0);
    return {
      conversation: new IcmpConversation(client, server, about.identifier, about.time),
      clientKey: this.#half(bytes, clientAt, about.identifier),
      streams: undefined,
    };
  }

  #endpoint(bytes: Uint8Array, at: number, port: number): Endpoint {
    const isIp4 = this.#found.addressLength === 4;
    return { address: isIp4 ? ipv4Text(bytes, at) : ipv6Text(bytes, at), port };
  }

  #half(bytes: Uint8Array, at: number, port: number): string {
    const address = bytes.subarray(at, at + this.#found.addressLength);
    return String.fromCharCode(...address, port);
  }

  /** The same key for both directions: the smaller half first. */
  #keys(bytes: Uint8Array, sourcePort: number, destinationPort: number) {
    const found = this.#found;
    const sourceKey = this.#half(bytes, found.sourceAt, sourcePort);
    const destinationKey = this.#half(bytes, found.destinationAt, destinationPort);
    const halves =
      sourceKey < destinationKey ? sourceKey + destinationKey : destinationKey + sourceKey;
    return { key: String.fromCharCode(found.protocol) + halves, sourceKey };
  }

  #keep(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    if (this.#entries.size + this.#over.length <= this.#maxConversations) return;
    this.#forgotten++;
    if (this.#over.shift() !== undefined) return;
    const [oldest] = this.#entries.keys();
    if (oldest !== undefined) this.#entries.delete(oldest);
  }

  #retire(entry: Entry, key: string): StreamRest[] {
    this.#entries.delete(key);
    this.#over.push(entry.conversation);
    return restsOf(entry);
  }
}

function restsOf({ conversation, streams }: Entry): StreamRest[] {
  if (streams === undefined) return [];
  return (['client', 'server'] as const)
    .map((from) => ({ conversation, from, stream: streams[from].end() }))
    .filter(({ stream }) => stream.length > 0);
}

/** A SYN+ACK comes from the server; without a handshake who has the well-known port is it. */
function sentByServer({ flags, sourcePort, destinationPort }: PacketClass): boolean {
  if ((flags & tcpFlag.syn) !== 0) return (flags & tcpFlag.ack) !== 0;
  return sourcePort < 1024 && destinationPort >= 1024;
}

function echoKind(protocol: number, type: number): 'request' | 'reply' | undefined {
  if (protocol === ipProtocol.icmp)
    return type === 8 ? 'request' : type === 0 ? 'reply' : undefined;
  if (protocol !== ipProtocol.icmpv6) return undefined;
  return type === 128 ? 'request' : type === 129 ? 'reply' : undefined;
}
