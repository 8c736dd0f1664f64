import {
  addConversationFields,
  type Conversation,
  type ConversationEvent,
  ConversationTracker,
  type Dissection,
  type Dissector,
  FragmentReassembler,
  linkType,
  type PacketItem,
  sequenceText,
  type StreamPart,
  type StreamRest,
  type TcpConversation,
} from '@sockeye/net/dissect';
import { counted } from '../text/counted.ts';
import { conversationObject, endpointText, handshakeObject } from './conversation-object.ts';
import { conversationText, streamText } from './conversation-text.ts';
import type { LineOutput } from './line-output.ts';
import { packetLayers } from './packet-layers.ts';
import { packetLine } from './packet-line.ts';
import { packetJson } from './packet-json.ts';
import type { Moment } from './packet-time.ts';
import type { PacketView } from './packet-view.ts';
import type { ReportOptions } from './report-options.ts';

// Bounds, arbitrary: connections whose segments are kept for a diagram, and all others.
const MAX_DRAWN = 1024;
const MAX_CONVERSATIONS = 16_384;
const DRAWN_SEGMENTS = 256;
const STREAM_BUFFER_BYTES = 64 * 1024;
const DEFAULT_COLUMNS = 100;

/** Shows packets one after another, and at the end what they were together. */
export class PacketReport {
  readonly #options: ReportOptions;
  readonly #output: LineOutput;
  readonly #dissect: Dissector;
  readonly #tracker: ConversationTracker;
  readonly #fragments = new FragmentReassembler();
  readonly #numbers = new WeakMap<Conversation, number>();
  #conversations = 0;
  #start: Moment | undefined;
  #streaming: string | undefined;

  constructor(options: ReportOptions, output: LineOutput, dissect: Dissector) {
    this.#dissect = dissect;
    this.#options = options;
    this.#output = output;
    const isDrawn = options.sequence || options.svg !== undefined;
    this.#tracker = new ConversationTracker({
      maxConversations: isDrawn ? MAX_DRAWN : MAX_CONVERSATIONS,
      maxSegments: isDrawn ? DRAWN_SEGMENTS : 2,
      streams: options.follow,
      maxBufferedBytes: STREAM_BUFFER_BYTES,
    });
  }

  /** The TCP connections, for a picture. */
  get tcpConversations(): TcpConversation[] {
    return [...this.#tracker.conversations()].filter(
      ({ type }) => type === 'tcp',
    ) as TcpConversation[];
  }

  get isJson(): boolean {
    return this.#options.json;
  }

  /** No packet is shown, drawn or counted. */
  get isIdle(): boolean {
    return !this.#needsPackets;
  }

  get forgotten(): number {
    return this.#tracker.forgotten;
  }

  get conversations(): number {
    return this.#conversations;
  }

  packet(item: PacketItem, number: number, interfaceName?: string): void {
    if (!this.#needsPackets) return;
    this.#start ??= { seconds: item.seconds, nanoseconds: item.nanoseconds };
    const whole = this.#fragments.push({
      bytes: item.buffer,
      start: item.start,
      end: item.end,
      linkType: item.linkType,
      seconds: item.seconds,
    });
    const event = this.#track(item, number, whole);
    const conversation = event && this.#numberOf(event.conversation);
    if (this.#showsPackets) {
      const dissection = this.#dissection(item);
      if (event?.segment !== undefined) addConversationFields(dissection.layers, event.segment);
      const view: PacketView = {
        number,
        item,
        start: this.#start,
        interfaceName,
        dissection,
        reassembled: whole && {
          length: whole.length,
          layers: this.#dissect(whole, { linkType: linkType.raw }).layers,
        },
        event,
        conversation,
      };
      this.#showPacket(view);
    }
    if (event !== undefined && conversation !== undefined) this.#showEvent(event, conversation);
  }

  /** What is known only when there are no more packets. */
  end(): void {
    const { json, conversations, sequence } = this.#options;
    this.#showRests(this.#tracker.end());
    for (const conversation of this.#tracker.conversations()) {
      const number = this.#numberOf(conversation);
      if (json && (conversations || sequence)) this.#objectsAtEnd(conversation, number);
      else if (conversations) this.#output.line(conversationText(conversation, number));
      if (!json && sequence && conversation.type === 'tcp') {
        const columns = process.stdout.columns ?? DEFAULT_COLUMNS;
        this.#output.line(sequenceText(conversation, { columns }));
      }
    }
  }

  get #needsPackets(): boolean {
    const { conversations, sequence, follow, svg } = this.#options;
    return this.#showsPackets || conversations || sequence || follow || svg !== undefined;
  }

  /** A table or a diagram on the terminal stands for the packets. */
  get #showsPackets(): boolean {
    const { json, layers, conversations, sequence, follow, quiet } = this.#options;
    return !quiet && (json || layers || !(conversations || sequence || follow));
  }

  #track(item: PacketItem, number: number, whole: Uint8Array | undefined) {
    if (whole === undefined) {
      // Part of a whole one, which counts when it is there.
      return this.#fragments.tookLast ? undefined : this.#tracker.push(item, number);
    }
    const { seconds, nanoseconds } = item;
    const packet = { buffer: whole, linkType: linkType.raw, seconds, nanoseconds };
    return this.#tracker.push(packet, number);
  }

  #numberOf(conversation: Conversation): number {
    const known = this.#numbers.get(conversation);
    if (known !== undefined) return known;
    this.#numbers.set(conversation, ++this.#conversations);
    return this.#conversations;
  }

  #dissection(item: PacketItem): Dissection {
    // Of the view, so that places count from the packet's first bit.
    return this.#dissect(item.bytes, {
      linkType: item.linkType,
      originalLength: item.originalLength,
    });
  }

  #showPacket(view: PacketView): void {
    const { json, layers } = this.#options;
    this.#output.line(json ? packetJson(view) : layers ? packetLayers(view) : packetLine(view));
  }

  #showEvent(event: ConversationEvent, number: number): void {
    const { json, conversations } = this.#options;
    const { conversation, segment, stream = [], rests = [] } = event;
    this.#showRests(rests);
    if (json && conversations && conversation.type === 'tcp' && segment?.step === 'ACK of SYN') {
      this.#output.object(handshakeObject(conversation, number));
    }
    for (const part of stream) this.#showStream(event, number, part);
  }

  #showRests(rests: readonly StreamRest[]): void {
    for (const rest of rests) {
      for (const part of rest.stream) {
        this.#showStream(rest, this.#numberOf(rest.conversation), part);
      }
    }
  }

  #showStream(
    { conversation, from }: StreamRest | ConversationEvent,
    number: number,
    part: StreamPart,
  ): void {
    if (this.#options.json) {
      this.#output.object({ type: 'stream', conversation: number, from, ...streamObject(part) });
      return;
    }
    const { client, server } = conversation;
    const [source, target] = from === 'client' ? [client, server] : [server, client];
    const head = `── ${number}: ${endpointText(source)} → ${endpointText(target)}`;
    if (this.#streaming !== head) this.#output.line(head);
    this.#streaming = head;
    this.#output.line(
      part.type === 'gap'
        ? `[${counted(part.missing, 'byte')} missing]`
        : streamText(part.bytes).replace(/\n$/, ''),
    );
  }

  #objectsAtEnd(conversation: Conversation, number: number): void {
    const { sequence } = this.#options;
    if (conversation.type === 'tcp' && conversation.handshake?.ack === undefined) {
      const handshake = handshakeObject(conversation, number);
      if (handshake !== undefined) this.#output.object(handshake);
    }
    this.#output.object(conversationObject(conversation, number, { segments: sequence }));
  }
}

/** Text where the bytes are UTF-8 as a whole, and always the bytes. */
function streamObject(part: StreamPart): Record<string, unknown> {
  if (part.type === 'gap') return { missing: part.missing };
  const base64 = Buffer.from(part.bytes).toString('base64');
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(part.bytes);
    return { length: part.bytes.length, text, base64 };
  } catch {
    return { length: part.bytes.length, base64 };
  }
}
