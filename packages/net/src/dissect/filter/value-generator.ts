import type { BpfAssembler, Label } from './bpf-assembler.ts';
import { bpf, bpfMemoryWords } from './bpf-program.ts';
import type { ArithmeticOperator, Comparison, FilterValue, LoadProtocol } from './filter-tree.ts';

const operations: Readonly<Record<ArithmeticOperator, { k: number; x: number }>> = {
  '+': { k: bpf.addK, x: bpf.addX },
  '-': { k: bpf.subK, x: bpf.subX },
  '*': { k: bpf.mulK, x: bpf.mulX },
  '/': { k: bpf.divK, x: bpf.divX },
  '%': { k: bpf.modK, x: bpf.modX },
  '&': { k: bpf.andK, x: bpf.andX },
  '|': { k: bpf.orK, x: bpf.orX },
  '^': { k: bpf.xorK, x: bpf.xorX },
  '<<': { k: bpf.lshK, x: bpf.lshX },
  '>>': { k: bpf.rshK, x: bpf.rshX },
};

/** Which jump serves a comparison, and whether its labels are exchanged. */
const jumps: Readonly<Record<Comparison, { k: number; x: number; exchanged: boolean }>> = {
  '=': { k: bpf.jeqK, x: bpf.jeqX, exchanged: false },
  '!=': { k: bpf.jeqK, x: bpf.jeqX, exchanged: true },
  '>': { k: bpf.jgtK, x: bpf.jgtX, exchanged: false },
  '<=': { k: bpf.jgtK, x: bpf.jgtX, exchanged: true },
  '>=': { k: bpf.jgeK, x: bpf.jgeX, exchanged: false },
  '<': { k: bpf.jgeK, x: bpf.jgeX, exchanged: true },
};

const absoluteLoads = { 1: bpf.ldByteAbs, 2: bpf.ldHalfAbs, 4: bpf.ldWordAbs } as const;
const indirectLoads = { 1: bpf.ldByteInd, 2: bpf.ldHalfInd, 4: bpf.ldWordInd } as const;

/** Writes the instructions for the values of a relation; each leaves its result in A. */
export class ValueGenerator {
  readonly #code: BpfAssembler;
  readonly #payloadAt: number;
  #memoryUsed = 0;

  constructor(code: BpfAssembler, payloadAt: number) {
    this.#code = code;
    this.#payloadAt = payloadAt;
  }

  /** The protocols whose bytes a value looks at, innermost first. */
  static protocols(value: FilterValue): LoadProtocol[] {
    if (value.kind === 'load') return [...ValueGenerator.protocols(value.index), value.protocol];
    if (value.kind !== 'arithmetic') return [];
    return [...ValueGenerator.protocols(value.left), ...ValueGenerator.protocols(value.right)];
  }

  compare(
    relation: { operator: Comparison; left: FilterValue; right: FilterValue },
    onTrue: Label,
    onFalse: Label,
  ): void {
    const jump = jumps[relation.operator];
    const [yes, no] = jump.exchanged ? [onFalse, onTrue] : [onTrue, onFalse];
    if (relation.right.kind === 'number') {
      this.#value(relation.left);
      this.#code.branch(jump.k, relation.right.value, yes, no);
    } else {
      this.#both(relation.left, relation.right);
      this.#code.branch(jump.x, 0, yes, no);
    }
  }

  /** The left value in A, the right one in X. */
  #both(left: FilterValue, right: FilterValue): void {
    this.#value(left);
    const slot = this.#reserve();
    this.#code.emit(bpf.st, slot);
    this.#value(right);
    this.#code.emit(bpf.tax).emit(bpf.ldMem, slot);
    this.#memoryUsed--;
  }

  #value(value: FilterValue): void {
    switch (value.kind) {
      case 'number':
        this.#code.emit(bpf.ldImm, value.value);
        return;
      case 'length':
        this.#code.emit(bpf.ldLen);
        return;
      case 'load':
        return this.#load(value.protocol, value.index, value.size);
      case 'arithmetic':
        return this.#arithmetic(value.operator, value.left, value.right);
    }
  }

  #arithmetic(operator: ArithmeticOperator, left: FilterValue, right: FilterValue): void {
    const operation = operations[operator];
    if (right.kind === 'number') {
      this.#value(left);
      this.#code.emit(operation.k, right.value);
    } else {
      this.#both(left, right);
      this.#code.emit(operation.x);
    }
  }

  #load(protocol: LoadProtocol, index: FilterValue, size: 1 | 2 | 4): void {
    const isTransport = ['tcp', 'udp', 'sctp', 'icmp', 'igmp'].includes(protocol);
    const base = protocol === 'ether' ? 0 : this.#payloadAt + (protocol === 'icmp6' ? 40 : 0);
    if (isTransport) this.#loadTransport(index, size);
    else if (index.kind === 'number') this.#code.emit(absoluteLoads[size], base + index.value);
    else {
      this.#value(index);
      this.#code.emit(bpf.tax).emit(indirectLoads[size], base);
    }
  }

  /** Behind an IPv4 header, whose length is in its first byte. */
  #loadTransport(index: FilterValue, size: 1 | 2 | 4): void {
    const at = this.#payloadAt;
    if (index.kind === 'number') {
      this.#code.emit(bpf.ldxMsh, at).emit(indirectLoads[size], at + index.value);
      return;
    }
    this.#value(index);
    this.#code.emit(bpf.ldxMsh, at).emit(bpf.addX).emit(bpf.tax).emit(indirectLoads[size], at);
  }

  #reserve(): number {
    if (this.#memoryUsed >= bpfMemoryWords) {
      throw new RangeError(
        `Cannot compile filter: arithmetic is nested deeper than ${bpfMemoryWords} words of memory`,
      );
    }
    return this.#memoryUsed++;
  }
}
