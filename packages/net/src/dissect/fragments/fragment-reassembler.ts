import { classify, PacketClass } from '../classify.ts';
import { internetChecksum } from '../checksum/internet-checksum.ts';
import { etherType } from '../layers/ether-type.ts';
import { linkType } from '../layers/link-type.ts';
import { FragmentList } from './fragment-list.ts';
import { ipv4Fragment, ipv6Fragment, type IpFragment } from './ip-fragment.ts';

/** Bounds of a reassembler; the defaults are Linux's (ipfrag_high_thresh, ipfrag_time). */
export interface FragmentReassemblerOptions {
  /** Bytes of all unfinished packets together; default 4 MiB. The oldest go first. */
  readonly maxBytes?: number;
  /** How long fragments wait for the rest, in the time of the packets; default 30 s. */
  readonly timeoutSeconds?: number;
}

/** A captured packet that may be a fragment. */
export interface FragmentPacket {
  readonly bytes: Uint8Array;
  /** Default 0. */
  readonly start?: number;
  /** Default the length of `bytes`. */
  readonly end?: number;
  /** LINKTYPE_ number; default 1, Ethernet. */
  readonly linkType?: number;
  /** When it was captured; default 0. */
  readonly seconds?: number;
}

/**
 * Puts the fragments of IPv4 and IPv6 packets together again, in whatever order they come.
 *
 * `push()` gives the whole packet with its last missing fragment, as bytes that begin with the IP
 * header (link type 101) and have length, offset and checksum as if it had never been cut;
 * undefined for all others. Packets whose fragments overlap with different bytes are dropped
 * (RFC 5722, and for IPv4 what Linux does), as are those that would exceed 65535 bytes.
 *
 * @example
 * ```ts
 * const reassembler = new FragmentReassembler();
 * assert.equal(reassembler.push({ bytes: new Uint8Array(60) }), undefined);
 * ```
 */
export class FragmentReassembler {
  readonly #maxBytes: number;
  readonly #timeoutSeconds: number;
  // A Map iterates in the order of insertion: the first entry is the oldest.
  readonly #lists = new Map<string, FragmentList>();
  readonly #found = new PacketClass();
  #bytes = 0;
  #dropped = 0;
  #tookLast = false;

  constructor(options: FragmentReassemblerOptions = {}) {
    this.#maxBytes = options.maxBytes ?? 4 * 1024 * 1024;
    this.#timeoutSeconds = options.timeoutSeconds ?? 30;
  }

  /** Packets given up: too old, too many, or overlapping. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Packets that wait for fragments. */
  get waiting(): number {
    return this.#lists.size;
  }

  /** Whether the packet that was pushed last is a fragment: it counts as part of a whole one only. */
  get tookLast(): boolean {
    return this.#tookLast;
  }

  push(packet: FragmentPacket): Uint8Array | undefined {
    const { bytes, start = 0, end = bytes.length, seconds = 0 } = packet;
    const found = this.#found;
    classify(bytes, packet.linkType ?? linkType.ethernet, found, start, end);
    const fragment =
      found.etherType === etherType.ipv4
        ? ipv4Fragment(bytes, found.networkAt, end)
        : found.etherType === etherType.ipv6
          ? ipv6Fragment(bytes, found.networkAt, end)
          : undefined;
    this.#tookLast = fragment !== undefined;
    if (fragment === undefined) return undefined;
    this.#expire(seconds);
    return this.#add(fragment, seconds);
  }

  #add(fragment: IpFragment, seconds: number): Uint8Array | undefined {
    const list = this.#lists.get(fragment.key) ?? new FragmentList(seconds);
    this.#lists.set(fragment.key, list);
    const before = list.bytes;
    const isSound = list.add(fragment);
    this.#bytes += list.bytes - before;
    if (!isSound) this.#drop(fragment.key, list);
    else if (list.isComplete) {
      this.#remove(fragment.key, list);
      return wholePacket(list);
    } else this.#shed();
    return undefined;
  }

  #remove(key: string, list: FragmentList): void {
    this.#lists.delete(key);
    this.#bytes -= list.bytes;
  }

  #drop(key: string, list: FragmentList): void {
    this.#remove(key, list);
    this.#dropped++;
  }

  #shed(): void {
    for (const [key, list] of this.#lists) {
      if (this.#bytes <= this.#maxBytes) return;
      this.#drop(key, list);
    }
  }

  #expire(seconds: number): void {
    for (const [key, list] of this.#lists) {
      if (list.seconds + this.#timeoutSeconds >= seconds) return;
      this.#drop(key, list);
    }
  }
}

function wholePacket(list: FragmentList): Uint8Array {
  const header = list.header;
  const packet = new Uint8Array(header.length + list.length);
  packet.set(header);
  list.copyTo(packet, header.length);
  const view = new DataView(packet.buffer);
  if (header[0]! >> 4 === 4) {
    view.setUint16(2, packet.length);
    view.setUint16(6, 0);
    view.setUint16(10, 0);
    view.setUint16(10, internetChecksum(packet, 0, header.length));
  } else {
    view.setUint16(4, packet.length - 40);
  }
  return packet;
}
