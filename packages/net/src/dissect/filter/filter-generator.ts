import { etherType } from '../layers/ether-type.ts';
import { ipProtocol } from '../layers/ip-protocol.ts';
import { type BpfAssembler, Label } from './bpf-assembler.ts';
import { bpf } from './bpf-program.ts';
import { FilterError } from './filter-error.ts';
import type {
  Direction,
  FilterNode,
  LoadProtocol,
  NetworkProtocol,
  Transport,
} from './filter-tree.ts';
import type { LinkLayout } from './link-layout.ts';
import { ValueGenerator } from './value-generator.ts';

type NodeOf<Kind extends FilterNode['kind']> = Extract<FilterNode, { kind: Kind }>;
/** Generates a test that goes to one label or the other. */
type Test = (onTrue: Label, onFalse: Label) => void;

const rarpType = 0x8035;
/** Offsets of source and destination address in the network header. */
const addressOffsets: Readonly<Record<NetworkProtocol, readonly [number, number]>> = {
  ip: [12, 16],
  ip6: [8, 24],
  arp: [14, 24],
  rarp: [14, 24],
};
const networkTypes: Readonly<Record<NetworkProtocol, number>> = {
  ip: etherType.ipv4,
  ip6: etherType.ipv6,
  arp: etherType.arp,
  rarp: rarpType,
};
const transportNumbers: Readonly<Record<Transport, number>> = {
  tcp: ipProtocol.tcp,
  udp: ipProtocol.udp,
  sctp: ipProtocol.sctp,
};

/**
 * Writes the instructions for a filter's tree: each node jumps to one of two labels. Nodes are
 * visited in the order of the text, for a `vlan` moves every offset behind it, as in libpcap.
 */
export class FilterGenerator {
  readonly #filter: string;
  readonly #layout: LinkLayout;
  readonly #code: BpfAssembler;
  #tagBytes = 0;

  constructor(filter: string, layout: LinkLayout, code: BpfAssembler) {
    this.#filter = filter;
    this.#layout = layout;
    this.#code = code;
  }

  generate(node: FilterNode, onTrue: Label, onFalse: Label): void {
    switch (node.kind) {
      case 'and':
        return this.#all(
          [node.left, node.right].map((part) => (yes, no) => this.generate(part, yes, no)),
          onTrue,
          onFalse,
        );
      case 'or':
        return this.#any(
          [node.left, node.right].map((part) => (yes, no) => this.generate(part, yes, no)),
          onTrue,
          onFalse,
        );
      case 'not':
        return this.generate(node.operand, onFalse, onTrue);
      case 'address':
        return this.#address(node, onTrue, onFalse);
      case 'mac':
        return this.#mac(node, onTrue, onFalse);
      case 'port':
        return this.#port(node, onTrue, onFalse);
      case 'etherType':
        return this.#networkType(node.value, onTrue, onFalse);
      case 'ipProtocol':
        return this.#ipProtocol(node, onTrue, onFalse);
      case 'group':
        return this.#group(node, onTrue, onFalse);
      case 'vlan':
        return this.#vlan(node, onTrue, onFalse);
      case 'relation':
        return this.#relation(node, onTrue, onFalse);
    }
  }

  get #payloadAt(): number {
    return this.#layout.payloadAt + this.#tagBytes;
  }

  /** True when every test is; stops at the first that isn't. */
  #all(tests: readonly Test[], onTrue: Label, onFalse: Label): void {
    for (const [index, test] of tests.entries()) {
      const isLast = index === tests.length - 1;
      const next = isLast ? onTrue : new Label();
      test(next, onFalse);
      if (!isLast) this.#code.place(next);
    }
  }

  /** True when one test is; stops at the first that is. */
  #any(tests: readonly Test[], onTrue: Label, onFalse: Label): void {
    for (const [index, test] of tests.entries()) {
      const isLast = index === tests.length - 1;
      const next = isLast ? onFalse : new Label();
      test(onTrue, next);
      if (!isLast) this.#code.place(next);
    }
  }

  #equal(loadCode: number, at: number, value: number): Test {
    return (onTrue, onFalse) => {
      this.#code.emit(loadCode, at).branch(bpf.jeqK, value, onTrue, onFalse);
    };
  }

  #networkType(type: number, onTrue: Label, onFalse: Label): void {
    const { typeAt } = this.#layout;
    if (typeAt >= 0)
      return this.#equal(bpf.ldHalfAbs, typeAt + this.#tagBytes, type)(onTrue, onFalse);
    const version = type === etherType.ipv4 ? 0x40 : type === etherType.ipv6 ? 0x60 : -1;
    if (version < 0) {
      this.#code.jump(onFalse);
      return;
    }
    this.#code
      .emit(bpf.ldByteAbs, this.#payloadAt)
      .emit(bpf.andK, 0xf0)
      .branch(bpf.jeqK, version, onTrue, onFalse);
  }

  #isType(type: number): Test {
    return (onTrue, onFalse) => this.#networkType(type, onTrue, onFalse);
  }

  // ── addresses ─────────────────────────────────────────────────────────────

  #address(node: NodeOf<'address'>, onTrue: Label, onFalse: Label): void {
    const any: readonly NetworkProtocol[] =
      node.bytes.length === 16 ? ['ip6'] : ['ip', 'arp', 'rarp'];
    const protocols = node.protocol === undefined ? any : [node.protocol];
    const tests = protocols.map((protocol): Test => {
      const [source, destination] = addressOffsets[protocol];
      return (yes, no) => {
        const isThere = this.#directed(node.direction, (side) =>
          this.#masked(this.#payloadAt + (side === 'source' ? source : destination), node),
        );
        this.#all([this.#isType(networkTypes[protocol]), isThere], yes, no);
      };
    });
    this.#any(tests, onTrue, onFalse);
  }

  #directed(direction: Direction, test: (side: 'source' | 'destination') => Test): Test {
    if (direction === 'source' || direction === 'destination') return test(direction);
    const both = [test('source'), test('destination')];
    return direction === 'either'
      ? (onTrue, onFalse) => this.#any(both, onTrue, onFalse)
      : (onTrue, onFalse) => this.#all(both, onTrue, onFalse);
  }

  /** Compares word by word under the mask; words that the mask leaves out are not loaded. */
  #masked(at: number, { bytes, mask }: { bytes: Uint8Array; mask: Uint8Array }): Test {
    const values = new DataView(bytes.buffer, bytes.byteOffset);
    const masks = new DataView(mask.buffer, mask.byteOffset);
    const tests: Test[] = [];
    for (let word = 0; word < bytes.length; word += 4) {
      const wordMask = masks.getUint32(word);
      if (wordMask === 0) continue;
      tests.push((onTrue, onFalse) => {
        this.#code.emit(bpf.ldWordAbs, at + word);
        if (wordMask !== 0xffffffff) this.#code.emit(bpf.andK, wordMask);
        this.#code.branch(bpf.jeqK, values.getUint32(word), onTrue, onFalse);
      });
    }
    return (onTrue, onFalse) => {
      if (tests.length === 0) this.#code.jump(onTrue);
      else this.#all(tests, onTrue, onFalse);
    };
  }

  #needEthernet(what: string, place: NodeOf<'mac'>['place']): void {
    if (this.#layout.isEthernet) return;
    throw new FilterError(this.#filter, place, `no ${what}: packets of this link type have none`);
  }

  #mac(node: NodeOf<'mac'>, onTrue: Label, onFalse: Label): void {
    this.#needEthernet('MAC address', node.place);
    const high = (node.bytes[0]! << 8) | node.bytes[1]!;
    const low = new DataView(node.bytes.buffer, node.bytes.byteOffset).getUint32(2);
    const isThere = this.#directed(node.direction, (side) => {
      const at = side === 'source' ? 6 : 0;
      const tests = [this.#equal(bpf.ldWordAbs, at + 2, low), this.#equal(bpf.ldHalfAbs, at, high)];
      return (yes, no) => this.#all(tests, yes, no);
    });
    isThere(onTrue, onFalse);
  }

  #group(node: NodeOf<'group'>, onTrue: Label, onFalse: Label): void {
    if (node.protocol === 'ether') return this.#etherGroup(node, onTrue, onFalse);
    const isIp4 = node.protocol === 'ip';
    const firstByte = this.#payloadAt + (isIp4 ? 16 : 24);
    const isMulticast: Test = (yes, no) => {
      this.#code
        .emit(bpf.ldByteAbs, firstByte)
        .branch(isIp4 ? bpf.jgeK : bpf.jeqK, isIp4 ? 224 : 255, yes, no);
    };
    this.#all([this.#isType(networkTypes[node.protocol]), isMulticast], onTrue, onFalse);
  }

  #etherGroup(node: NodeOf<'group'>, onTrue: Label, onFalse: Label): void {
    this.#needEthernet('Ethernet address', node.place);
    if (node.what === 'multicast') {
      this.#code.emit(bpf.ldByteAbs, 0).branch(bpf.jsetK, 1, onTrue, onFalse);
      return;
    }
    const tests = [
      this.#equal(bpf.ldWordAbs, 2, 0xffffffff),
      this.#equal(bpf.ldHalfAbs, 0, 0xffff),
    ];
    this.#all(tests, onTrue, onFalse);
  }

  // ── transport ─────────────────────────────────────────────────────────────

  #ipProtocol(node: NodeOf<'ipProtocol'>, onTrue: Label, onFalse: Label): void {
    const overIp4: Test = (yes, no) =>
      this.#all(
        [this.#isType(etherType.ipv4), this.#equal(bpf.ldByteAbs, this.#payloadAt + 9, node.value)],
        yes,
        no,
      );
    const overIp6: Test = (yes, no) =>
      this.#all([this.#isType(etherType.ipv6), this.#nextHeader(node.value)], yes, no);
    const tests =
      node.family === 'ip' ? [overIp4] : node.family === 'ip6' ? [overIp6] : [overIp6, overIp4];
    this.#any(tests, onTrue, onFalse);
  }

  /** Directly behind the IPv6 header, or behind a fragment header. */
  #nextHeader(value: number): Test {
    const at = this.#payloadAt;
    return (onTrue, onFalse) => {
      const fragment = new Label();
      const noDirect = new Label();
      this.#code
        .emit(bpf.ldByteAbs, at + 6)
        .branch(bpf.jeqK, value, onTrue, noDirect)
        .place(noDirect)
        .branch(bpf.jeqK, ipProtocol.fragment, fragment, onFalse)
        .place(fragment)
        .emit(bpf.ldByteAbs, at + 40)
        .branch(bpf.jeqK, value, onTrue, onFalse);
    };
  }

  #port(node: NodeOf<'port'>, onTrue: Label, onFalse: Label): void {
    const numbers =
      node.transport === undefined
        ? Object.values(transportNumbers)
        : [transportNumbers[node.transport]];
    this.#any([this.#port6(node, numbers), this.#port4(node, numbers)], onTrue, onFalse);
  }

  #port6(node: NodeOf<'port'>, numbers: readonly number[]): Test {
    return (onTrue, onFalse) => {
      const at = this.#payloadAt;
      const isInRange = this.#directed(node.direction, (side) =>
        this.#range(bpf.ldHalfAbs, at + 40 + (side === 'source' ? 0 : 2), node),
      );
      const tests = [this.#isType(etherType.ipv6), this.#oneOf(at + 6, numbers), isInRange];
      this.#all(tests, onTrue, onFalse);
    };
  }

  #port4(node: NodeOf<'port'>, numbers: readonly number[]): Test {
    return (onTrue, onFalse) => {
      const at = this.#payloadAt;
      const isInRange = this.#directed(node.direction, (side) =>
        this.#range(bpf.ldHalfInd, at + (side === 'source' ? 0 : 2), node),
      );
      const withHeaderLength: Test = (yes, no) => {
        this.#code.emit(bpf.ldxMsh, at);
        isInRange(yes, no);
      };
      const tests = [
        this.#isType(etherType.ipv4),
        this.#oneOf(at + 9, numbers),
        this.#isFirstFragment(),
        withHeaderLength,
      ];
      this.#all(tests, onTrue, onFalse);
    };
  }

  /** Later fragments have no transport header. */
  #isFirstFragment(): Test {
    return (onTrue, onFalse) => {
      this.#code
        .emit(bpf.ldHalfAbs, this.#payloadAt + 6)
        .branch(bpf.jsetK, 0x1fff, onFalse, onTrue);
    };
  }

  #oneOf(at: number, values: readonly number[]): Test {
    return (onTrue, onFalse) => {
      this.#code.emit(bpf.ldByteAbs, at);
      const tests = values.map(
        (value): Test =>
          (yes, no) => {
            this.#code.branch(bpf.jeqK, value, yes, no);
          },
      );
      this.#any(tests, onTrue, onFalse);
    };
  }

  #range(loadCode: number, at: number, { first, last }: { first: number; last: number }): Test {
    if (first === last) return this.#equal(loadCode, at, first);
    return (onTrue, onFalse) => {
      const enough = new Label();
      this.#code
        .emit(loadCode, at)
        .branch(bpf.jgeK, first, enough, onFalse)
        .place(enough)
        .branch(bpf.jgtK, last, onFalse, onTrue);
    };
  }

  // ── the rest ──────────────────────────────────────────────────────────────

  #vlan(node: NodeOf<'vlan'>, onTrue: Label, onFalse: Label): void {
    this.#needEthernet('VLAN tag', node.place);
    const typeAt = this.#layout.typeAt + this.#tagBytes;
    const tagAt = this.#payloadAt;
    const isTag: Test = (yes, no) =>
      this.#any(
        [etherType.vlan, etherType.serviceVlan, etherType.oldServiceVlan].map((type) =>
          this.#equal(bpf.ldHalfAbs, typeAt, type),
        ),
        yes,
        no,
      );
    const { id } = node;
    const isId: Test = (yes, no) => {
      this.#code
        .emit(bpf.ldHalfAbs, tagAt)
        .emit(bpf.andK, 0x0fff)
        .branch(bpf.jeqK, id ?? 0, yes, no);
    };
    this.#all(id === undefined ? [isTag] : [isTag, isId], onTrue, onFalse);
    this.#tagBytes += 4;
  }

  #relation(node: NodeOf<'relation'>, onTrue: Label, onFalse: Label): void {
    const values = new ValueGenerator(this.#code, this.#payloadAt);
    const needed = [
      ...new Set([...ValueGenerator.protocols(node.left), ...ValueGenerator.protocols(node.right)]),
    ];
    const tests = needed.flatMap((protocol): Test[] => this.#hasHeader(protocol));
    const compare: Test = (yes, no) => values.compare(node, yes, no);
    this.#all([...tests, compare], onTrue, onFalse);
  }

  /** What must hold before bytes of a protocol's header can be looked at. */
  #hasHeader(protocol: LoadProtocol): Test[] {
    if (protocol === 'ether') return [];
    if (isNetworkProtocol(protocol)) return [this.#isType(networkTypes[protocol])];
    if (protocol === 'icmp6') {
      const isNext = this.#equal(bpf.ldByteAbs, this.#payloadAt + 6, ipProtocol.icmpv6);
      return [this.#isType(etherType.ipv6), isNext];
    }
    return [
      this.#isType(etherType.ipv4),
      this.#equal(bpf.ldByteAbs, this.#payloadAt + 9, ipProtocol[protocol]),
      this.#isFirstFragment(),
    ];
  }
}

function isNetworkProtocol(protocol: LoadProtocol): protocol is NetworkProtocol {
  return protocol in networkTypes;
}
