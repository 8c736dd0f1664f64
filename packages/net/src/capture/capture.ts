import { native, type PacketRing } from '@sockeye/native';
import {
  AF_PACKET,
  ARPHRD_ETHER,
  ARPHRD_LOOPBACK,
  ARPHRD_NONE,
  ARPHRD_RAWIP,
  ETH_P_ALL,
  PACKET_MR_PROMISC,
  PACKET_RX_RING,
  POLLERR,
  POLLIN,
  SO_ERROR,
  SOCK_DGRAM,
  SOCK_RAW,
  SOL_PACKET,
  SOL_SOCKET,
  TPACKET_V3,
} from '../constants/index.ts';
import { checkInteger, SocketError } from '../errors/index.ts';
import {
  type InterfaceItem,
  linkType,
  type PacketItem,
  PacketRecords,
  type SectionItem,
  type StatisticsItem,
} from '../dissect/index.ts';
import { ifNametoindex, Socket } from '../socket/index.ts';
import { kernelFilter } from './kernel-filter.ts';
import { PacketBlock } from './packet-block.ts';

/** What is captured, and with how much memory. */
export interface CaptureOptions {
  /** A network interface; default `any`, all of them with LINKTYPE_LINUX_SLL2. */
  readonly interface?: string;
  /** In pcap-filter(7)'s language; default everything. The kernel filters. */
  readonly filter?: string;
  /** Bytes kept of a packet, 1…262144; default 262144, tcpdump's own. */
  readonly snapLength?: number;
  /** Packets that come in, leave, or both; default both. On a loopback interface each comes once. */
  readonly direction?: 'in' | 'out' | 'inout';
  /** See packets for other stations too; default false. Not for `any`. */
  readonly promiscuous?: boolean;
  /** Of the ring that the kernel fills, 1…1024 MiB, rounded up to whole MiB; default 32 MiB. */
  readonly bufferBytes?: number;
  /** How long a packet may wait for others before it is handed over, 1…10000; default 50. */
  readonly latencyMs?: number;
}

/** How many packets there were so far. */
export interface CaptureStatistics {
  /** Passed the filter; those dropped included. */
  readonly received: number;
  /** Lost because the ring was full. */
  readonly dropped: number;
}

/** Packets that are records already. */
export interface CaptureRecords {
  /** Enhanced packet blocks of interface 0, times in nanoseconds. */
  readonly bytes: Uint8Array;
  readonly count: number;
}

const MAX_SNAP_LENGTH = 262_144;
// A block has room for the largest packet kept, 256 KiB, several times; arbitrary.
const BLOCK_BYTES = 1024 * 1024;
const DEFAULT_BUFFER_BYTES = 32 * BLOCK_BYTES;
const MAX_BUFFER_BYTES = 1024 * BLOCK_BYTES;
const DEFAULT_LATENCY_MS = 50;
// Blocks taken before others in the loop get their turn; arbitrary, 16 MiB.
const BLOCKS_A_TURN = 16;
// tp_frame_size only has to divide the block: TPACKET_V3 packs packets tightly. A page.
const FRAME_BYTES = 4096;
// How late the kernel's timer may be; arbitrary.
const LATE_MS = 1000;
/** A program that lets nothing through. */
const NOTHING = [{ code: 0x06, jt: 0, jf: 0, k: 0 }];

/**
 * A live capture: an AF_PACKET socket with a ring (TPACKET_V3) that the kernel fills, with its own
 * times in nanoseconds.
 *
 * The constructor needs CAP_NET_RAW, nothing after it does: `dropCaptureCapabilities()` may follow.
 * The filter is in force before the first packet is let in. `stop()` ends the stream of packets
 * after those that the kernel has already; `close()` at once.
 *
 * @throws SocketError EPERM without CAP_NET_RAW, with a hint how to grant it; ENODEV where there is
 *   no such interface; ENETDOWN where it is down
 * @throws FilterError with the place that is wrong; RangeError for a link type without filters
 * Source: packet(7), the kernel's Documentation/networking/packet_mmap.rst.
 *
 * @example
 * ```ts
 * if (process.getuid?.() === 0) {
 *   using capture = new Capture({ interface: 'lo', filter: 'tcp port 80' });
 *   assert.equal(capture.linkType, linkType.ethernet);
 * }
 * ```
 */
export class Capture {
  readonly interface: string;
  readonly filter: string;
  readonly snapLength: number;
  readonly linkType: number;
  readonly #socket: Socket<typeof AF_PACKET>;
  readonly #block: PacketBlock;
  readonly #latencyMs: number;
  #ring: PacketRing | undefined;
  #received = 0;
  #dropped = 0;
  /** Came out of the ring. */
  #taken = 0;
  #isStopping = false;
  readonly #stop = new AbortController();

  constructor(options: CaptureOptions = {}) {
    const { direction = 'inout', filter = '' } = options;
    this.interface = options.interface ?? 'any';
    this.filter = filter;
    this.snapLength = integer('snapLength', options.snapLength ?? MAX_SNAP_LENGTH, MAX_SNAP_LENGTH);
    this.#latencyMs = integer('latencyMs', options.latencyMs ?? DEFAULT_LATENCY_MS, 10_000);
    const bufferBytes = options.bufferBytes ?? DEFAULT_BUFFER_BYTES;
    const blocks = Math.ceil(integer('bufferBytes', bufferBytes, MAX_BUFFER_BYTES) / BLOCK_BYTES);
    const { hatype, type } = this.#hardware();
    this.linkType = linkTypeOf(hatype, type);
    const { program, rest } = kernelFilter(filter, this.linkType, this.snapLength);
    this.#block = new PacketBlock(BLOCK_BYTES, {
      linkType: this.linkType,
      cooked: type === SOCK_DGRAM,
      direction,
      filter: rest,
      snapLength: this.snapLength,
    });
    // Protocol 0: nothing comes in before bind() says which, by when the filter is in place.
    this.#socket = new Socket(AF_PACKET, type, 0);
    try {
      this.#socket.options.set('SO_ATTACH_FILTER', program);
      const ignoresOutgoing =
        direction === 'in' || (direction === 'inout' && hatype === ARPHRD_LOOPBACK);
      if (ignoresOutgoing) this.#socket.options.set('PACKET_IGNORE_OUTGOING', true);
      this.#ring = this.#makeRing(blocks);
      if (options.promiscuous === true && !this.#isAny) {
        const membership = { interface: this.interface, type: PACKET_MR_PROMISC };
        this.#socket.options.set('PACKET_ADD_MEMBERSHIP', membership);
      }
      this.#socket.bind({ interface: this.#isAny ? '' : this.interface, protocol: ETH_P_ALL });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  /** What a file of this capture begins with. */
  get header(): [SectionItem, InterfaceItem] {
    const { filter } = this;
    return [
      {
        type: 'section',
        format: 'pcapng',
        littleEndian: true,
        os: `${process.platform} ${process.arch}`,
        application: 'Sockeye',
      },
      {
        type: 'interface',
        id: 0,
        linkType: this.linkType,
        snapLength: this.snapLength,
        name: this.interface,
        ...(filter === '' ? {} : { filter }),
      },
    ];
  }

  /**
   * The packets, a batch a step; ends after `stop()` or `close()`.
   *
   * The packets of a batch are views of memory that the next step uses again: whoever keeps one
   * copies its bytes.
   *
   * @throws SocketError ENETDOWN when the interface goes down
   */
  async *packets(): AsyncGenerator<Iterable<PacketItem>, void, undefined> {
    for await (const block of this.#blocks()) yield block.packets();
  }

  /**
   * The packets as a pcapng file has them, a block of the ring a step: for `CaptureFile.writeRecords()`
   * at rates at which an object a packet costs too much. `bytes` is memory that the next step uses
   * again.
   *
   * @throws SocketError ENETDOWN when the interface goes down
   */
  async *records(): AsyncGenerator<CaptureRecords, void, undefined> {
    const records = new PacketRecords(BLOCK_BYTES);
    for await (const block of this.#blocks()) {
      block.writeTo(records);
      const { bytes, count } = records;
      if (count > 0) yield { bytes, count };
    }
  }

  async *#blocks(): AsyncGenerator<PacketBlock, void, undefined> {
    let blocks = 0;
    for (;;) {
      const ring = this.#ring;
      if (ring === undefined) return;
      const taken = native.packetRingTake(ring, this.#block.bytes);
      if (taken > 0) {
        this.#taken += this.#block.count;
        yield this.#block;
        if (++blocks % BLOCKS_A_TURN === 0) await new Promise(setImmediate);
      } else if (!(await this.#wait())) return;
    }
  }

  /** Reads the kernel's counters and adds them up: reading sets them to 0. */
  statistics(): CaptureStatistics {
    if (!this.#socket.closed) {
      const { packets, drops } = this.#socket.options.get('PACKET_STATISTICS');
      this.#received += packets;
      this.#dropped += drops;
    }
    return { received: this.#received, dropped: this.#dropped };
  }

  /** The counters as a file has them, with the time of now. */
  statisticsItem(): StatisticsItem {
    const { received, dropped } = this.statistics();
    return {
      type: 'statistics',
      interfaceId: 0,
      time: BigInt(Date.now()) * 1_000_000n,
      filterAccepted: BigInt(received),
      osDropped: BigInt(dropped),
    };
  }

  /** Lets no more packets in; `packets()` ends after those that are there. */
  stop(): void {
    if (this.#isStopping || this.#socket.closed) return;
    this.#isStopping = true;
    this.#socket.options.set('SO_ATTACH_FILTER', NOTHING);
    this.#stop.abort();
  }

  /** Ends the capture at once; the counters of `statistics()` stay. */
  close(): void {
    const ring = this.#ring;
    this.#ring = undefined;
    if (ring !== undefined) {
      this.statistics();
      // Before the socket: a ring that is mapped keeps it alive.
      native.packetRingUnmap(ring);
    }
    this.#isStopping = true;
    this.#stop.abort();
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }

  get #isAny(): boolean {
    return this.interface === 'any';
  }

  /** Asks a socket without a protocol what the interface is. */
  #hardware(): { hatype: number; type: typeof SOCK_RAW | typeof SOCK_DGRAM } {
    if (this.#isAny) return { hatype: -1, type: SOCK_DGRAM };
    ifNametoindex(this.interface);
    using probe = new Socket(AF_PACKET, SOCK_RAW, 0);
    probe.bind({ interface: this.interface, protocol: 0 });
    const { hatype } = probe.getsockname();
    return { hatype, type: linkTypeOf(hatype, SOCK_RAW) < 0 ? SOCK_DGRAM : SOCK_RAW };
  }

  #makeRing(blocks: number): PacketRing {
    this.#socket.options.set('PACKET_VERSION', TPACKET_V3);
    // struct tpacket_req3: block size and count, frame size and count, retire time, private, features.
    const frames = (BLOCK_BYTES / FRAME_BYTES) * blocks;
    const request = Uint32Array.of(BLOCK_BYTES, blocks, FRAME_BYTES, frames, this.#latencyMs, 0, 0);
    this.#socket.setsockopt(SOL_PACKET, PACKET_RX_RING, Buffer.from(request.buffer));
    const ring = native.packetRingMap(this.#socket.fileno(), BLOCK_BYTES, blocks);
    if (typeof ring === 'number') throw new SocketError('mmap', -ring, { address: this.interface });
    return ring;
  }

  /** Until there may be another block; false when there won't. */
  async #wait(): Promise<boolean> {
    if (this.#socket.closed) return false;
    const isLast = this.#isStopping;
    if (isLast && this.#isDrained()) return false;
    // The block that is being filled is handed over when its time is up, on a busy machine later.
    const signal = isLast ? AbortSignal.timeout(2 * this.#latencyMs + LATE_MS) : this.#stop.signal;
    try {
      const events = await this.#socket.poll(POLLIN, { signal });
      if ((events & POLLERR) !== 0) this.#throwPending();
      return true;
    } catch (error) {
      if (this.#socket.closed) return false;
      if (signal.aborted) return !isLast;
      throw error;
    }
  }

  #isDrained(): boolean {
    const { received, dropped } = this.statistics();
    return this.#taken >= received - dropped;
  }

  #throwPending(): void {
    const errno = this.#socket.getsockopt(SOL_SOCKET, SO_ERROR);
    if (errno !== 0) throw new SocketError('recv', errno, { address: this.interface });
  }
}

function integer(name: string, value: number, high: number): number {
  return checkInteger(name, value, 1, high);
}

/** LINKTYPE_ of an interface; -1 where we take the packets without their link header. */
function linkTypeOf(hatype: number, type: number): number {
  if (type === SOCK_DGRAM) return linkType.linuxSll2;
  if (hatype === ARPHRD_ETHER || hatype === ARPHRD_LOOPBACK) return linkType.ethernet;
  if (hatype === ARPHRD_NONE || hatype === ARPHRD_RAWIP) return linkType.raw;
  return -1;
}
