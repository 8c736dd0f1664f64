import { ARPHRD_LOOPBACK, PACKET_OUTGOING } from '../constants/index.ts';
import { type BpfInstruction, PacketItem, type PacketRecords, runBpf } from '../dissect/index.ts';

// A block as the kernel fills it (linux/if_packet.h, struct tpacket_block_desc):
//
//    0        4          8         12          16               20        24
//   | version | private | status  | packets   | first packet's | length  | sequence, times
//                                                offset
//
// and each packet in it (struct tpacket3_hdr, then struct sockaddr_ll):
//
//    0             4          8           12        16       20       24      26
//   | next packet | seconds  | nanosec.  | kept    | length | status | mac   | net
//    28        32         36         48       50         52        56       58     59     60
//   | hash    | vlan tag | vlan type|family  | protocol | ifindex | hatype | type | halen | address
const BLOCK_PACKETS = 12 / 4;
const BLOCK_FIRST = 16 / 4;
const ADDRESS_AT = 48;
const VLAN_VALID = 1 << 4;
const VLAN_TYPE_VALID = 1 << 6;
const VLAN_BYTES = 4;
const MAC_ADDRESSES_BYTES = 12;
const ETH_P_8021Q = 0x8100;
const COOKED_BYTES = 20;
const COOKED_ADDRESS_BYTES = 8;

/** How the packets of a block are read. */
export interface BlockOptions {
  readonly linkType: number;
  /** Make the header of LINKTYPE_LINUX_SLL2 before each packet. */
  readonly cooked: boolean;
  readonly direction: 'in' | 'out' | 'inout';
  /** What the kernel couldn't filter by. */
  readonly filter: readonly BpfInstruction[] | undefined;
  readonly snapLength: number;
}

/** Where a packet is, in one object for all of a block. */
class Found {
  start = 0;
  end = 0;
  seconds = 0;
  nanoseconds = 0;
  originalLength = 0;
  isOutgoing = false;
}

/**
 * The packets of a block, as views of it: valid until the block's memory is used again.
 *
 * VLAN tags that the kernel took out are put back; what passes on a loopback interface, which the
 * kernel shows as it leaves and as it arrives, comes once.
 */
export class PacketBlock {
  readonly bytes: Buffer;
  // What others get to see: the slice() of a Buffer is a view, that of a Uint8Array the copy that
  // whoever keeps bytes expects.
  readonly #plain: Uint8Array;
  readonly #words: Uint32Array;
  readonly #halves: Uint16Array;
  readonly #view: DataView;
  readonly #options: BlockOptions;
  readonly #found = new Found();

  constructor(byteLength: number, options: BlockOptions) {
    const memory = new ArrayBuffer(byteLength);
    this.bytes = Buffer.from(memory);
    this.#plain = new Uint8Array(memory);
    this.#words = new Uint32Array(memory);
    this.#halves = new Uint16Array(memory);
    this.#view = new DataView(memory);
    this.#options = options;
  }

  /** Packets in the block, unwanted ones included. */
  get count(): number {
    return this.#words[BLOCK_PACKETS]!;
  }

  *packets(): Generator<PacketItem, void, undefined> {
    const { linkType } = this.#options;
    const words = this.#words;
    const { count } = this;
    let at = words[BLOCK_FIRST]!;
    for (let index = 0; index < count; index++) {
      const found = this.#find(at);
      if (found !== undefined) {
        const { start, end, seconds, nanoseconds, originalLength, isOutgoing } = found;
        const direction = isOutgoing ? 'outbound' : 'inbound';
        const buffer = this.#plain;
        const times = { seconds, nanoseconds };
        yield new PacketItem({ buffer, start, end, ...times, originalLength, linkType, direction });
      }
      at += words[at / 4]!;
    }
  }

  /** The same packets as pcapng's records, without an object for each; `records` is emptied first. */
  writeTo(records: PacketRecords): void {
    const words = this.#words;
    const { count } = this;
    records.clear();
    let at = words[BLOCK_FIRST]!;
    for (let index = 0; index < count; index++) {
      const found = this.#find(at);
      if (found !== undefined) records.add(this.#view, found.start, found.end, found);
      at += words[at / 4]!;
    }
  }

  #find(at: number): Found | undefined {
    const words = this.#words;
    const type = this.bytes[at + ADDRESS_AT + 10]!;
    const isOutgoing = type === PACKET_OUTGOING;
    if (!this.#isWanted(isOutgoing, this.#halves[(at + ADDRESS_AT + 8) / 2]!)) return undefined;
    const word = at / 4;
    let start = at + this.#halves[(at + 24) / 2]!;
    const end = start + words[word + 3]!;
    let added = 0;
    if (this.#options.cooked) {
      added = COOKED_BYTES;
      this.#writeCookedHeader(at + ADDRESS_AT, start - added);
    } else if ((words[word + 5]! & VLAN_VALID) !== 0 && end - start >= MAC_ADDRESSES_BYTES) {
      added = VLAN_BYTES;
      this.#restoreTag(word, start);
    }
    start -= added;
    const originalLength = words[word + 4]! + added;
    if (!this.#passes(start, end, originalLength)) return undefined;
    const found = this.#found;
    found.start = start;
    found.end = Math.min(end, start + this.#options.snapLength);
    found.seconds = words[word + 1]!;
    found.nanoseconds = words[word + 2]!;
    found.originalLength = originalLength;
    found.isOutgoing = isOutgoing;
    return found;
  }

  #isWanted(isOutgoing: boolean, hardware: number): boolean {
    const { direction } = this.#options;
    if (direction === 'out') return isOutgoing;
    if (direction === 'in') return !isOutgoing;
    return !(isOutgoing && hardware === ARPHRD_LOOPBACK);
  }

  #passes(start: number, end: number, originalLength: number): boolean {
    const { filter } = this.#options;
    return (
      filter === undefined || runBpf(filter, { bytes: this.bytes, start, end, originalLength }) > 0
    );
  }

  /** Moves the two addresses forwards and writes the tag behind them. */
  #restoreTag(word: number, start: number): void {
    const { bytes } = this;
    const hasType = (this.#words[word + 5]! & VLAN_TYPE_VALID) !== 0;
    const type = hasType ? this.#halves[word * 2 + 18]! : ETH_P_8021Q;
    const tag = this.#words[word + 8]!;
    bytes.copyWithin(start - VLAN_BYTES, start, start + MAC_ADDRESSES_BYTES);
    bytes.writeUInt16BE(type, start + MAC_ADDRESSES_BYTES - VLAN_BYTES);
    bytes.writeUInt16BE(tag & 0xffff, start + MAC_ADDRESSES_BYTES - VLAN_BYTES + 2);
  }

  /**
   * From struct sockaddr_ll; between it and the packet are 28 bytes, the kernel's alignment and its
   * 16 bytes for a link header that a SOCK_DGRAM socket doesn't get.
   */
  #writeCookedHeader(address: number, at: number): void {
    const { bytes } = this;
    // Both in network order.
    bytes[at] = bytes[address + 2]!;
    bytes[at + 1] = bytes[address + 3]!;
    bytes.writeUInt16BE(0, at + 2);
    bytes.writeUInt32BE(this.#words[(address + 4) / 4]!, at + 4);
    bytes.writeUInt16BE(this.#halves[(address + 8) / 2]!, at + 8);
    bytes[at + 10] = bytes[address + 10]!;
    bytes[at + 11] = bytes[address + 11]!;
    bytes.copyWithin(at + 12, address + 12, address + 12 + COOKED_ADDRESS_BYTES);
  }
}
