import { ipv4Text, ipv6Text } from '../text/address-text.ts';
import { CaptureFileError } from './capture-file-error.ts';
import { type CaptureItem, type NamesItem, PacketItem } from './capture-item.ts';
import type { ChunkWindow } from './chunk-window.ts';
import { blockType, byteOrderMagic, nameRecord, optionCode, padded } from './pcapng-format.ts';
import { PcapngOptions } from './pcapng-options.ts';
import { TimeScale } from './time-scale.ts';

const utf8 = new TextDecoder('utf-8');

// A file may not make the reader keep state without end; arbitrary, far above any host's.
const maxInterfaces = 65536;

// Bits 0 and 1 of epb_flags.
const directions = [undefined, 'inbound', 'outbound', undefined] as const;

interface KnownInterface {
  readonly linkType: number;
  readonly snapLength: number;
  readonly time: TimeScale;
}

/** Where a block's body is in the window: behind type and length, before the second length. */
interface Body {
  readonly type: number;
  readonly start: number;
  readonly end: number;
}

/** `{ [name]: value }`, or nothing when the value is undefined: absent members are absent. */
function given<Name extends string, Value>(
  name: Name,
  value: Value | undefined,
): { [K in Name]?: Value } {
  const member: { [K in Name]?: Value } = {};
  if (value !== undefined) member[name] = value;
  return member;
}

/**
 * Items of a pcapng file, as its bytes arrive in the window (draft-ietf-opsawg-pcapng).
 *
 *     | type | total length | body, padded to 32 bits ... | total length |
 */
export class PcapngItems {
  readonly #window: ChunkWindow;
  readonly #maxRecordBytes: number;
  #view: DataView = new DataView(new ArrayBuffer(0));
  #seen: Uint8Array | undefined;
  #littleEndian = false;
  #interfaces: KnownInterface[] = [];
  #inSection = false;

  constructor(window: ChunkWindow, maxRecordBytes: number) {
    this.#window = window;
    this.#maxRecordBytes = maxRecordBytes;
  }

  *items(): Generator<CaptureItem, void, undefined> {
    while (this.#window.length >= 12) {
      this.#look();
      const body = this.#block();
      if (body === undefined) return;
      yield this.#item(body);
    }
  }

  /** Another push() may have moved the window while the caller was iterating. */
  #look(): void {
    const { bytes } = this.#window;
    if (this.#seen === bytes) return;
    this.#seen = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  #u32(at: number): number {
    return this.#view.getUint32(at, this.#littleEndian);
  }

  #u16(at: number): number {
    return this.#view.getUint16(at, this.#littleEndian);
  }

  #fail(found: string, at: number, expected: string): never {
    throw new CaptureFileError(found, this.#window.offset(at), expected);
  }

  /** The next whole block, checked, or undefined until it has arrived. */
  #block(): Body | undefined {
    const window = this.#window;
    const at = window.start;
    if (this.#view.getUint32(at) === blockType.section) this.#setByteOrder(at + 8);
    else if (!this.#inSection) this.#fail('block', at, 'a section header block');
    const type = this.#u32(at);
    const length = this.#u32(at + 4);
    if (length < 12 || length % 4 !== 0) {
      this.#fail(`block length ${length}`, at + 4, 'a multiple of 4 of 12 or more');
    }
    if (length > this.#maxRecordBytes) {
      this.#fail(`block length ${length}`, at + 4, `at most ${this.#maxRecordBytes}`);
    }
    if (window.length < length) return undefined;
    const end = at + length - 4;
    const again = this.#u32(end);
    if (again !== length) this.#fail(`block length ${again}`, end, `${length} once more`);
    window.start = at + length;
    return { type, start: at + 8, end };
  }

  #setByteOrder(at: number): void {
    if (this.#view.getUint32(at) === byteOrderMagic) this.#littleEndian = false;
    else if (this.#view.getUint32(at, true) === byteOrderMagic) this.#littleEndian = true;
    else this.#fail('wrong byte order magic', at, '1a2b3c4d in either order');
  }

  #item(body: Body): CaptureItem {
    switch (body.type) {
      case blockType.section:
        return this.#section(body);
      case blockType.interface:
        return this.#interface(body);
      case blockType.enhancedPacket:
        return this.#enhancedPacket(body);
      case blockType.simplePacket:
        return this.#simplePacket(body);
      case blockType.nameResolution:
        return this.#names(body);
      case blockType.interfaceStatistics:
        return this.#statistics(body);
      case blockType.secrets:
        return this.#secrets(body);
      default:
        return {
          type: 'unknown',
          blockType: body.type,
          bytes: this.#window.bytes.subarray(body.start, body.end),
        };
    }
  }

  #need(body: Body, length: number): void {
    if (body.end - body.start < length) {
      this.#fail(`block of ${body.end - body.start} bytes`, body.start, `${length} or more`);
    }
  }

  #options(start: number, end: number): PcapngOptions {
    const { bytes } = this.#window;
    const base = this.#window.offset(0);
    const littleEndian = this.#littleEndian;
    return new PcapngOptions({ view: this.#view, bytes, start, end, littleEndian, base });
  }

  #section(body: Body): CaptureItem {
    this.#need(body, 16);
    const major = this.#u16(body.start + 4);
    if (major !== 1) this.#fail(`version ${major}`, body.start + 4, 'version 1');
    this.#inSection = true;
    this.#interfaces = [];
    const options = this.#options(body.start + 16, body.end);
    return {
      type: 'section',
      format: 'pcapng',
      littleEndian: this.#littleEndian,
      ...given('hardware', options.text(optionCode.sectionHardware)),
      ...given('os', options.text(optionCode.sectionOs)),
      ...given('application', options.text(optionCode.sectionApplication)),
      ...given('comments', options.texts(optionCode.comment)),
    };
  }

  #interface(body: Body): CaptureItem {
    this.#need(body, 8);
    if (this.#interfaces.length >= maxInterfaces) {
      this.#fail('interface', body.start, `at most ${maxInterfaces} interfaces`);
    }
    const options = this.#options(body.start + 8, body.end);
    const linkType = this.#u16(body.start);
    const snapLength = this.#u32(body.start + 4);
    const resolution = options.bytes(optionCode.interfaceTimeResolution)?.[0] ?? 6;
    const offset = options.u64(optionCode.interfaceTimeOffset) ?? 0n;
    const time = new TimeScale(resolution, BigInt.asIntN(64, offset));
    const id = this.#interfaces.push({ linkType, snapLength, time }) - 1;
    return {
      type: 'interface',
      id,
      linkType,
      snapLength,
      ...given('name', options.text(optionCode.interfaceName)),
      ...given('description', options.text(optionCode.interfaceDescription)),
      // The first byte says how it is written; 0 is text.
      ...given('filter', options.text(optionCode.interfaceFilter)?.replace(/^\0/, '')),
      ...given('comments', options.texts(optionCode.comment)),
    };
  }

  #known(id: number, at: number): KnownInterface {
    const known = this.#interfaces[id];
    if (known !== undefined) return known;
    return this.#fail(`interface ${id}`, at, `one of ${this.#interfaces.length} described ones`);
  }

  #enhancedPacket(body: Body): CaptureItem {
    this.#need(body, 20);
    const at = body.start;
    const interfaceId = this.#u32(at);
    const known = this.#known(interfaceId, at);
    const captured = this.#u32(at + 12);
    if (captured > body.end - at - 20) {
      this.#fail(`captured length ${captured}`, at + 12, `at most ${body.end - at - 20}`);
    }
    known.time.split(this.#u32(at + 4), this.#u32(at + 8));
    const start = at + 20;
    const optionsAt = start + padded(captured);
    const more = optionsAt + 4 <= body.end ? this.#packetOptions(optionsAt, body.end) : undefined;
    return new PacketItem({
      buffer: this.#window.bytes,
      start,
      end: start + captured,
      seconds: known.time.seconds,
      nanoseconds: known.time.nanoseconds,
      originalLength: this.#u32(at + 16),
      interfaceId,
      linkType: known.linkType,
      ...more,
    });
  }

  #packetOptions(start: number, end: number) {
    const options = this.#options(start, end);
    const flags = options.u32(optionCode.packetFlags) ?? 0;
    return {
      ...given('direction', directions[flags & 3]),
      ...given('comments', options.texts(optionCode.comment)),
      ...given('dropCount', options.u64(optionCode.packetDropCount)),
    };
  }

  /** No time, no interface but the first, and a length that is cut by that interface's limit. */
  #simplePacket(body: Body): CaptureItem {
    this.#need(body, 4);
    const known = this.#known(0, body.start);
    const originalLength = this.#u32(body.start);
    const kept = known.snapLength === 0 ? originalLength : known.snapLength;
    const start = body.start + 4;
    const captured = Math.min(originalLength, kept, body.end - start);
    return new PacketItem({
      buffer: this.#window.bytes,
      start,
      end: start + captured,
      seconds: 0,
      nanoseconds: 0,
      originalLength,
      linkType: known.linkType,
    });
  }

  #names(body: Body): NamesItem {
    const entries: { address: string; names: string[] }[] = [];
    const { bytes } = this.#window;
    let at = body.start;
    while (at + 4 <= body.end) {
      const type = this.#u16(at);
      const length = this.#u16(at + 2);
      if (type === nameRecord.end) break;
      const value = at + 4;
      if (value + length > body.end) {
        this.#fail(`name record length ${length}`, at + 2, `at most ${body.end - value}`);
      }
      const size = type === nameRecord.ipv4 ? 4 : type === nameRecord.ipv6 ? 16 : 0;
      if (size > 0 && length >= size) {
        const address = size === 4 ? ipv4Text(bytes, value) : ipv6Text(bytes, value);
        const names = utf8.decode(bytes.subarray(value + size, value + length)).split('\0');
        entries.push({ address, names: names.filter((name) => name !== '') });
      }
      at = value + padded(length);
    }
    return { type: 'names', entries };
  }

  #statistics(body: Body): CaptureItem {
    this.#need(body, 12);
    const interfaceId = this.#u32(body.start);
    const { time } = this.#known(interfaceId, body.start);
    time.split(this.#u32(body.start + 4), this.#u32(body.start + 8));
    const options = this.#options(body.start + 12, body.end);
    return {
      type: 'statistics',
      interfaceId,
      time: BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds),
      ...given('received', options.u64(optionCode.statisticsReceived)),
      ...given('dropped', options.u64(optionCode.statisticsDropped)),
      ...given('filterAccepted', options.u64(optionCode.statisticsFilterAccepted)),
      ...given('osDropped', options.u64(optionCode.statisticsOsDropped)),
      ...given('delivered', options.u64(optionCode.statisticsDelivered)),
      ...given('comments', options.texts(optionCode.comment)),
    };
  }

  #secrets(body: Body): CaptureItem {
    this.#need(body, 8);
    const length = this.#u32(body.start + 4);
    const start = body.start + 8;
    if (length > body.end - start) {
      this.#fail(`secrets length ${length}`, body.start + 4, `at most ${body.end - start}`);
    }
    const bytes = this.#window.bytes.subarray(start, start + length);
    return { type: 'secrets', secretsType: this.#u32(body.start), bytes };
  }
}
