import { randomInt } from 'node:crypto';
import type { TcpInfo } from '../socket/index.ts';
import {
  ipPacket,
  linkType,
  PacketItem,
  tcpFlag,
  tcpSegment,
  udpDatagram,
} from '../dissect/index.ts';
import { packetEnds } from './packet-ends.ts';
import { CaptureFile, type CaptureFileOptions, type CaptureFileTarget } from './capture-file.ts';

/** Between whom a recorded conversation is. */
export interface RecordedPath {
  readonly transport: 'tcp' | 'udp';
  /** This program's end. */
  readonly local: { readonly host: string; readonly port: number };
  readonly remote: { readonly host: string; readonly port: number };
  /** Which end opened it; default `remote`, as on a server. */
  readonly openedBy?: 'local' | 'remote';
  /** More to say about it, in a comment on its first packet. */
  readonly comment?: string | undefined;
  /**
   * Reads the kernel's TCP_INFO. Asked as a TCP conversation begins and as it ends; the answers stand
   * in comments on the segments there: `TCP_INFO at the start: {…}`, `TCP_INFO at the end: {…}`, JSON
   * with the names of `TcpInfo`, null for no limit.
   */
  readonly info?: (() => TcpInfo | undefined) | undefined;
}

type End = 'local' | 'remote';

const COMMENT =
  'Recorded by Sockeye from inside the program: payload and times are exact, headers, segment boundaries and numbers are synthesised.';
// An IPv4 packet's 65,535 bytes less its headers hold more; a round number, arbitrary.
const MAX_PAYLOAD_BYTES = 32_768;
// What may wait for a slow disk before packets are left out; arbitrary.
const MAX_PENDING_BYTES = 16 * 1024 * 1024;
const SNAP_LENGTH = 262_144;

/**
 * Writes what one's own sockets carry as a capture, without any capability: pcapng whose packets
 * have the exact bytes and times, in headers that are made up, with valid checksums, and say so in a
 * comment.
 *
 * Nothing here waits: packets are gathered and written behind. Where the disk is too slow they are
 * left out, counted in `dropped` and in the file. `close()` writes the rest.
 *
 * @example
 * ```ts
 * const recorder = await Recorder.create('/dev/null');
 * const local = { host: '127.0.0.1', port: 80 };
 * const remote = { host: '127.0.0.1', port: 40000 };
 * const conversation = recorder.conversation({ transport: 'tcp', local, remote });
 * conversation.received(Buffer.from('hello'));
 * conversation.closed('local');
 * await recorder.close();
 * assert.equal(recorder.dropped, 0);
 * ```
 */
export class Recorder {
  readonly #file: CaptureFile;
  readonly #epochNs = BigInt(Date.now()) * 1_000_000n - process.hrtime.bigint();
  #flushing: Promise<void> | undefined;
  #failure: unknown;
  #written = 0;
  #dropped = 0;
  #droppedSince = 0;
  #isClosed = false;

  private constructor(file: CaptureFile) {
    this.#file = file;
    const comments = [COMMENT];
    file.write({
      type: 'section',
      format: 'pcapng',
      littleEndian: true,
      application: 'Sockeye',
      comments,
    });
    file.write({
      type: 'interface',
      id: 0,
      linkType: linkType.raw,
      snapLength: SNAP_LENGTH,
      name: 'sockeye',
      description: 'synthesised headers',
      comments,
    });
  }

  /**
   * Opens the file; see `CaptureFile.create()`.
   *
   * @throws Error with `code` EACCES, ENOENT, … from open(2)
   */
  static async create(
    target: CaptureFileTarget,
    options: Omit<CaptureFileOptions, 'format'> = {},
  ): Promise<Recorder> {
    return new Recorder(await CaptureFile.create(target, { ...options, format: 'pcapng' }));
  }

  /** Packets left out because the disk was too slow. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Begins a conversation; of TCP its handshake is written now. */
  conversation(path: RecordedPath): RecordedConversation {
    return new RecordedConversation(path, (packet, direction, comments) =>
      this.#write(packet, direction, comments),
    );
  }

  /**
   * Writes what waits, what this turn of the event loop still tells too, and closes the file; what is
   * told to conversations afterwards is left out.
   *
   * @throws Error with `code` ENOSPC, … when a write failed, now or before
   */
  async close(): Promise<void> {
    // Behind the microtasks that tell of what a socket has sent as it closed.
    await new Promise(setImmediate);
    this.#isClosed = true;
    await this.#flushing;
    await this.#file.close();
    if (this.#failure !== undefined) throw this.#failure;
  }

  #write(buffer: Uint8Array, direction: 'inbound' | 'outbound', comments: string[]): void {
    if (this.#isClosed) return;
    if (this.#failure !== undefined || this.#written > MAX_PENDING_BYTES) {
      this.#dropped++;
      this.#droppedSince++;
      return;
    }
    const now = this.#epochNs + process.hrtime.bigint();
    this.#written += buffer.length;
    this.#file.write(
      new PacketItem({
        buffer,
        seconds: Number(now / 1_000_000_000n),
        nanoseconds: Number(now % 1_000_000_000n),
        linkType: linkType.raw,
        direction,
        ...(comments.length === 0 ? {} : { comments }),
        ...(this.#droppedSince === 0 ? {} : { dropCount: BigInt(this.#droppedSince) }),
      }),
    );
    this.#droppedSince = 0;
    this.#flushing ??= this.#flush();
  }

  async #flush(): Promise<void> {
    // After this turn, so that its packets leave together.
    await new Promise(setImmediate);
    while (this.#written > 0 && this.#failure === undefined) {
      this.#written = 0;
      await this.#file.flush().catch((error: unknown) => {
        this.#failure = error;
      });
    }
    this.#flushing = undefined;
  }
}

type Write = (packet: Uint8Array, direction: 'inbound' | 'outbound', comments: string[]) => void;

/** One conversation of a recorder: told what was sent and received, it writes packets. */
export class RecordedConversation {
  readonly #path: RecordedPath;
  readonly #write: Write;
  readonly #next: Record<End, number>;
  readonly #ended = new Set<End>();
  #comment: string | undefined;
  #info: RecordedPath['info'];
  #isClosed = false;

  constructor(path: RecordedPath, write: Write) {
    this.#path = { ...path, ...packetEnds(path) };
    this.#write = write;
    this.#comment = path.comment;
    this.#info = path.info;
    this.#next = { local: randomInt(2 ** 32), remote: randomInt(2 ** 32) };
    if (path.transport === 'tcp') this.#handshake(path.openedBy ?? 'remote');
  }

  /** The program sent these bytes; of UDP they are a datagram. */
  sent(bytes: Uint8Array): void {
    this.#data('local', bytes);
  }

  /** The program received these bytes; of UDP they are a datagram. */
  received(bytes: Uint8Array): void {
    this.#data('remote', bytes);
  }

  /**
   * Bytes passed that can't be written: of TCP their numbers are left out, as in a capture that lost
   * packets, and a comment says why.
   */
  missed(from: End, bytes: number, why: string): void {
    if (this.#isClosed || this.#path.transport !== 'tcp') return;
    this.#next[from] = (this.#next[from] + bytes) >>> 0;
    this.#segment(other(from), tcpFlag.ack, undefined, `Not recorded: ${bytes} bytes, ${why}.`);
  }

  /** An end has sent its last byte: of TCP its FIN is written, once; the other end may go on. */
  ended(end: End): void {
    if (this.#isClosed || this.#ended.has(end) || this.#path.transport !== 'tcp') return;
    this.#ended.add(end);
    const comment = this.#ended.size === 2 ? this.#infoText('at the end') : undefined;
    this.#segment(end, tcpFlag.fin | tcpFlag.ack, undefined, comment);
    this.#segment(other(end), tcpFlag.ack);
  }

  /**
   * The conversation is over: of TCP the segments of a close that `ended` didn't write, once.
   *
   * @param first who ended it
   * @param how `reset` where that was with RST
   * @param info TCP_INFO at the end, instead of what the path's `info` reads; not used where both
   *   ends have ended before
   */
  closed(first: End, how: 'fin' | 'reset' = 'fin', info?: TcpInfo): void {
    if (this.#isClosed || this.#path.transport !== 'tcp') return;
    if (info !== undefined) this.#info = () => info;
    if (how === 'reset') {
      this.#segment(first, tcpFlag.rst | tcpFlag.ack, undefined, this.#infoText('at the end'));
    } else {
      this.ended(first);
      this.ended(other(first));
    }
    this.#isClosed = true;
  }

  #handshake(client: End): void {
    const server = other(client);
    this.#segment(client, tcpFlag.syn, undefined, COMMENT);
    this.#segment(server, tcpFlag.syn | tcpFlag.ack);
    this.#segment(client, tcpFlag.ack, undefined, this.#infoText('at the start'));
  }

  #infoText(when: string): string | undefined {
    const info = this.#info?.();
    return info && `TCP_INFO ${when}: ${JSON.stringify(info)}`;
  }

  #data(from: End, bytes: Uint8Array): void {
    if (this.#isClosed) return;
    if (this.#path.transport === 'udp') {
      this.#datagram(from, bytes);
      return;
    }
    for (let at = 0; at < bytes.length; at += MAX_PAYLOAD_BYTES) {
      const payload = bytes.subarray(at, at + MAX_PAYLOAD_BYTES);
      this.#segment(from, tcpFlag.psh | tcpFlag.ack, payload);
      this.#segment(other(from), tcpFlag.ack);
    }
  }

  #datagram(from: End, payload: Uint8Array): void {
    const [source, destination] = this.#ends(from);
    const path = { source: source.host, destination: destination.host };
    const ports = { sourcePort: source.port, destinationPort: destination.port };
    const datagram = udpDatagram(path, { ...ports, payload });
    this.#packet(from, ipPacket({ ...path, protocol: 17, payload: datagram }));
  }

  #segment(
    from: End,
    flags: number,
    payload: Uint8Array = new Uint8Array(0),
    comment?: string,
  ): void {
    const [source, destination] = this.#ends(from);
    const path = { source: source.host, destination: destination.host };
    const segment = tcpSegment(path, {
      sourcePort: source.port,
      destinationPort: destination.port,
      sequence: this.#next[from],
      acknowledgment: (flags & tcpFlag.ack) === 0 ? 0 : this.#next[other(from)],
      flags,
      payload,
    });
    const control = (flags & (tcpFlag.syn | tcpFlag.fin)) === 0 ? 0 : 1;
    this.#next[from] = (this.#next[from] + payload.length + control) >>> 0;
    this.#packet(from, ipPacket({ ...path, protocol: 6, payload: segment }), comment);
  }

  #packet(from: End, packet: Uint8Array, comment?: string): void {
    const comments = [this.#comment, comment].filter((text) => text !== undefined);
    this.#comment = undefined;
    this.#write(packet, directionOf(from), comments);
  }

  #ends(from: End) {
    const { local, remote } = this.#path;
    return from === 'local' ? ([local, remote] as const) : ([remote, local] as const);
  }
}

function other(end: End): End {
  return end === 'local' ? 'remote' : 'local';
}

function directionOf(from: End): 'inbound' | 'outbound' {
  return from === 'local' ? 'outbound' : 'inbound';
}
