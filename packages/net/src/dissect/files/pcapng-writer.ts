import { parseIpAddress } from '../text/parse-address.ts';
import type {
  CaptureItem,
  InterfaceItem,
  NamesItem,
  PacketItem,
  SecretsItem,
  SectionItem,
  StatisticsItem,
  UnknownItem,
} from './capture-item.ts';
import { LittleEndianBlock } from './pcapng-block.ts';
import { blockType, byteOrderMagic, nameRecord, optionCode } from './pcapng-format.ts';

const utf8 = new TextEncoder();
const nanosecondResolution = 9;

/**
 * Writes a pcapng file, little-endian, times in nanoseconds: `encode(item)` for each item, the
 * section first and each interface before its packets. What `CaptureReader` yields may be passed
 * through; interface numbers must then be those of the order of writing.
 *
 * @throws RangeError when an interface's number is not the next one, or a packet's is unknown
 *
 * @example
 * ```ts
 * const writer = new PcapngWriter();
 * const section = writer.encode({ type: 'section', format: 'pcapng', littleEndian: true });
 * assert.equal(section.length, 28);
 * ```
 */
export class PcapngWriter {
  #interfaces = 0;

  encode(item: CaptureItem): Uint8Array {
    if (item.type === 'packet') return this.#packet(item);
    if (item.type === 'section') return this.#section(item);
    if (item.type === 'interface') return this.#interface(item);
    if (item.type === 'names') return this.#names(item);
    if (item.type === 'statistics') return this.#statistics(item);
    if (item.type === 'secrets') return this.#secrets(item);
    return this.#unknown(item);
  }

  #section(item: SectionItem): Uint8Array {
    this.#interfaces = 0;
    return new LittleEndianBlock(blockType.section)
      .u32(byteOrderMagic)
      .u16(1)
      .u16(0)
      .u64(0xffff_ffff_ffff_ffffn) // section length unknown
      .comments(item.comments)
      .text(optionCode.sectionHardware, item.hardware)
      .text(optionCode.sectionOs, item.os)
      .text(optionCode.sectionApplication, item.application)
      .finish();
  }

  #interface(item: InterfaceItem): Uint8Array {
    if (item.id !== this.#interfaces) {
      throw new RangeError(
        `Cannot write pcapng: interface ${item.id}, the next is ${this.#interfaces}`,
      );
    }
    this.#interfaces++;
    return new LittleEndianBlock(blockType.interface)
      .u16(item.linkType)
      .u16(0)
      .u32(item.snapLength)
      .comments(item.comments)
      .text(optionCode.interfaceName, item.name)
      .text(optionCode.interfaceDescription, item.description)
      .option(optionCode.interfaceTimeResolution, Uint8Array.of(nanosecondResolution))
      .text(optionCode.interfaceFilter, item.filter === undefined ? undefined : `\0${item.filter}`)
      .finish();
  }

  #checkInterface(id: number): void {
    if (id >= this.#interfaces) {
      throw new RangeError(`Cannot write pcapng: interface ${id} of ${this.#interfaces}`);
    }
  }

  #packet(packet: PacketItem): Uint8Array {
    this.#checkInterface(packet.interfaceId);
    const block = new LittleEndianBlock(blockType.enhancedPacket, packet.capturedLength + 64)
      .u32(packet.interfaceId)
      .time(packet.seconds, packet.nanoseconds)
      .u32(packet.capturedLength)
      .u32(packet.originalLength)
      .bytes(packet.bytes);
    block.comments(packet.comments);
    if (packet.direction !== undefined) {
      block.option32(optionCode.packetFlags, packet.direction === 'inbound' ? 1 : 2);
    }
    if (packet.dropCount !== undefined) {
      block.option64(optionCode.packetDropCount, packet.dropCount);
    }
    return block.finish();
  }

  #names(item: NamesItem): Uint8Array {
    const block = new LittleEndianBlock(blockType.nameResolution);
    for (const { address, names } of item.entries) {
      const bytes = parseIpAddress(address);
      if (bytes === undefined) {
        throw new RangeError(`Cannot write pcapng: not an IP address: ${address}`);
      }
      const text = utf8.encode(`${names.join('\0')}\0`);
      const type = bytes.length === 4 ? nameRecord.ipv4 : nameRecord.ipv6;
      block
        .u16(type)
        .u16(bytes.length + text.length)
        .bytes(Uint8Array.of(...bytes, ...text));
    }
    return block.u16(nameRecord.end).u16(0).finish();
  }

  #statistics(item: StatisticsItem): Uint8Array {
    this.#checkInterface(item.interfaceId);
    const block = new LittleEndianBlock(blockType.interfaceStatistics)
      .u32(item.interfaceId)
      .u32(Number(item.time >> 32n))
      .u32(Number(item.time & 0xffff_ffffn));
    block.comments(item.comments);
    const counters = [
      [optionCode.statisticsReceived, item.received],
      [optionCode.statisticsDropped, item.dropped],
      [optionCode.statisticsFilterAccepted, item.filterAccepted],
      [optionCode.statisticsOsDropped, item.osDropped],
      [optionCode.statisticsDelivered, item.delivered],
    ] as const;
    for (const [code, value] of counters) if (value !== undefined) block.option64(code, value);
    return block.finish();
  }

  #secrets(item: SecretsItem): Uint8Array {
    return new LittleEndianBlock(blockType.secrets, item.bytes.length + 32)
      .u32(item.secretsType)
      .u32(item.bytes.length)
      .bytes(item.bytes)
      .finish();
  }

  #unknown(item: UnknownItem): Uint8Array {
    return new LittleEndianBlock(item.blockType, item.bytes.length + 16).bytes(item.bytes).finish();
  }
}
