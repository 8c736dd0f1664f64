/** The start of a section: of the file, or (pcapng) of another capture appended to it. */
export interface SectionItem {
  readonly type: 'section';
  readonly format: 'pcap' | 'pcapng';
  readonly littleEndian: boolean;
  readonly hardware?: string;
  readonly os?: string;
  readonly application?: string;
  readonly comments?: readonly string[];
}

/** An interface that packets were captured on; they refer to it by its number in the section. */
export interface InterfaceItem {
  readonly type: 'interface';
  /** Counts from 0 in each section. */
  readonly id: number;
  /** LINKTYPE_ number. */
  readonly linkType: number;
  /** Bytes kept of a packet at most; 0 is no limit. */
  readonly snapLength: number;
  readonly name?: string;
  readonly description?: string;
  /** The filter of the capture, in pcap-filter's words. */
  readonly filter?: string;
  readonly comments?: readonly string[];
}

/** Names of addresses that were known when capturing. */
export interface NamesItem {
  readonly type: 'names';
  readonly entries: readonly { readonly address: string; readonly names: readonly string[] }[];
}

/** Counters of an interface; each is absent when the capturing program didn't know it. */
export interface StatisticsItem {
  readonly type: 'statistics';
  readonly interfaceId: number;
  /** When they were read, in nanoseconds since 1970. */
  readonly time: bigint;
  readonly received?: bigint;
  /** Dropped by the interface. */
  readonly dropped?: bigint;
  readonly filterAccepted?: bigint;
  /** Dropped by the operating system, for want of buffers. */
  readonly osDropped?: bigint;
  readonly delivered?: bigint;
  readonly comments?: readonly string[];
}

/** Keys to decrypt what follows; type 0x544c534b is a TLS key log. */
export interface SecretsItem {
  readonly type: 'secrets';
  readonly secretsType: number;
  readonly bytes: Uint8Array;
}

/** A block that is not understood: custom, obsolete or new. Its bytes are those between its lengths. */
export interface UnknownItem {
  readonly type: 'unknown';
  readonly blockType: number;
  readonly bytes: Uint8Array;
}

/** What can be said about a packet besides its bytes. */
export interface PacketInit {
  /** Holds the packet at `[start, end)`; a view of it is kept, not a copy. */
  readonly buffer: Uint8Array;
  readonly start?: number;
  readonly end?: number;
  /** Seconds since 1970. */
  readonly seconds: number;
  /** Below 1e9. */
  readonly nanoseconds: number;
  /** Bytes on the wire; default those kept. */
  readonly originalLength?: number;
  readonly interfaceId?: number;
  /** LINKTYPE_ number of its interface; default 1, Ethernet. */
  readonly linkType?: number;
  readonly direction?: 'inbound' | 'outbound';
  readonly comments?: readonly string[];
  /** Packets lost between this one and the one before. */
  readonly dropCount?: bigint;
}

/**
 * A captured packet.
 *
 * Its time is a pair of numbers: an item with a bigint took 55 ns to make, with a pair 35 ns;
 * `time` makes the bigint for those who want one. `bytes` is a view into the
 * chunk that was pushed, made when asked for: valid as long as the caller leaves that chunk alone.
 *
 * @example
 * ```ts
 * const item = new PacketItem({ buffer: Uint8Array.of(1, 2), seconds: 3, nanoseconds: 4 });
 * assert.deepEqual([item.time, item.originalLength], [3_000_000_004n, 2]);
 * ```
 */
export class PacketItem {
  readonly type = 'packet';
  readonly buffer: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly originalLength: number;
  readonly interfaceId: number;
  readonly linkType: number;
  readonly direction: 'inbound' | 'outbound' | undefined;
  readonly comments: readonly string[] | undefined;
  readonly dropCount: bigint | undefined;

  constructor(init: PacketInit) {
    const { buffer, start = 0, end = buffer.length } = init;
    this.buffer = buffer;
    this.start = start;
    this.end = end;
    this.seconds = init.seconds;
    this.nanoseconds = init.nanoseconds;
    this.originalLength = init.originalLength ?? end - start;
    this.interfaceId = init.interfaceId ?? 0;
    this.linkType = init.linkType ?? 1;
    this.direction = init.direction;
    this.comments = init.comments;
    this.dropCount = init.dropCount;
  }

  get capturedLength(): number {
    return this.end - this.start;
  }

  get bytes(): Uint8Array {
    return this.buffer.subarray(this.start, this.end);
  }

  /** Nanoseconds since 1970. */
  get time(): bigint {
    return BigInt(this.seconds) * 1_000_000_000n + BigInt(this.nanoseconds);
  }
}

/** All that a capture file holds, in file order. */
export type CaptureItem =
  | SectionItem
  | InterfaceItem
  | PacketItem
  | NamesItem
  | StatisticsItem
  | SecretsItem
  | UnknownItem;
