import { bpf, type BpfInstruction, bpfMaxInstructions, bpfMemoryWords } from './bpf-program.ts';

/** The packet a program looks at. */
export interface BpfPacket {
  readonly bytes: Uint8Array;
  /** Default 0. */
  readonly start?: number;
  /** Default the length of `bytes`. */
  readonly end?: number;
  /** Bytes on the wire, what `len` is; default those captured. */
  readonly originalLength?: number;
}

const knownCodes: ReadonlySet<number> = new Set(Object.values(bpf));
const lastLoadOfPacket = 0x50;

function isJump(code: number): boolean {
  return (code & 7) === 5;
}

function usesMemory(code: number): boolean {
  return code === bpf.ldMem || code === bpf.ldxMem || code === bpf.st || code === bpf.stx;
}

/**
 * Checks a program as the kernel does before it runs one: known codes, jumps forwards and inside,
 * memory in bounds, a return at the end.
 *
 * @throws RangeError that says which instruction is wrong
 *
 * @example
 * ```ts
 * assert.throws(() => checkBpf([{ code: 0x05, jt: 0, jf: 0, k: 9 }]), /instruction 0 is wrong/);
 * ```
 */
export function checkBpf(program: readonly BpfInstruction[]): void {
  const { length } = program;
  if (length === 0 || length > bpfMaxInstructions) {
    throw new RangeError(`Cannot run BPF: ${length} instructions, limit ${bpfMaxInstructions}`);
  }
  for (const [index, { code, jt, jf, k }] of program.entries()) {
    const furthest = code === bpf.ja ? k : isJump(code) ? Math.max(jt, jf) : 0;
    const isMemoryWrong = usesMemory(code) && k >= bpfMemoryWords;
    if (
      !knownCodes.has(code) ||
      index + 1 + furthest >= length + Number(isReturn(code)) ||
      isMemoryWrong
    ) {
      throw new RangeError(`Cannot run BPF: instruction ${index} is wrong`);
    }
  }
}

function isReturn(code: number): boolean {
  return (code & 7) === 6;
}

/**
 * Runs a classic BPF program on a packet; what `checkBpf()` refuses must not get here.
 *
 * Gives the number of bytes to keep, 0 to drop the packet. As in the kernel a load outside the
 * packet and a division by zero end the program with 0.
 *
 * @example
 * ```ts
 * const program = [{ code: 0x06, jt: 0, jf: 0, k: 96 }];
 * assert.equal(runBpf(program, { bytes: new Uint8Array(3) }), 96);
 * ```
 */
export function runBpf(program: readonly BpfInstruction[], packet: BpfPacket): number {
  const { bytes, start = 0, end = bytes.length, originalLength = end - start } = packet;
  const memory = new Uint32Array(bpfMemoryWords);
  const length = end - start;
  let a = 0;
  let x = 0;
  for (let index = 0; ; index++) {
    const { code, jt, jf, k } = program[index]!;
    switch (code) {
      case bpf.retK:
        return k;
      case bpf.retA:
        return a;
      case bpf.jeqK:
        index += a === k ? jt : jf;
        break;
      case bpf.jeqX:
        index += a === x ? jt : jf;
        break;
      case bpf.jgtK:
        index += a > k ? jt : jf;
        break;
      case bpf.jgtX:
        index += a > x ? jt : jf;
        break;
      case bpf.jgeK:
        index += a >= k ? jt : jf;
        break;
      case bpf.jgeX:
        index += a >= x ? jt : jf;
        break;
      case bpf.jsetK:
        index += (a & k) === 0 ? jf : jt;
        break;
      case bpf.jsetX:
        index += (a & x) === 0 ? jf : jt;
        break;
      case bpf.ja:
        index += k;
        break;
      case bpf.ldLen:
        a = originalLength;
        break;
      case bpf.ldxLen:
        x = originalLength;
        break;
      case bpf.ldImm:
        a = k;
        break;
      case bpf.ldxImm:
        x = k;
        break;
      case bpf.ldMem:
        a = memory[k]!;
        break;
      case bpf.ldxMem:
        x = memory[k]!;
        break;
      case bpf.st:
        memory[k] = a;
        break;
      case bpf.stx:
        memory[k] = x;
        break;
      case bpf.tax:
        x = a;
        break;
      case bpf.txa:
        a = x;
        break;
      case bpf.ldxMsh:
        if (k >= length) return 0;
        x = (bytes[start + k]! & 15) * 4;
        break;
      case bpf.neg:
        a = -a >>> 0;
        break;
      default: {
        if (code <= lastLoadOfPacket && (code & 7) === 0) {
          const at = (code & 0x40) === 0 ? k : k + x;
          const size = (code & 0x18) === 0 ? 4 : (code & 0x18) === 8 ? 2 : 1;
          // The kernel adds in 32 bits and refuses what is outside: no packet reaches 2^32.
          if (at + size > length) return 0;
          a = load(bytes, start + at, size);
          break;
        }
        const operand = (code & 8) === 0 ? k : x;
        if (operand === 0 && isDivision(code)) return 0;
        a = arithmetic(code & 0xf0, a, operand);
      }
    }
  }
}

function load(bytes: Uint8Array, at: number, size: number): number {
  if (size === 1) return bytes[at]!;
  if (size === 2) return (bytes[at]! << 8) | bytes[at + 1]!;
  return (
    ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
  );
}

function isDivision(code: number): boolean {
  const operation = code & 0xf0;
  return operation === 0x30 || operation === 0x90;
}

/** 32 bits without sign; shifts by 32 and more give 0, as libpcap's own interpreter has it. */
function arithmetic(operation: number, a: number, operand: number): number {
  switch (operation) {
    case 0x00:
      return (a + operand) >>> 0;
    case 0x10:
      return (a - operand) >>> 0;
    case 0x20:
      return Math.imul(a, operand) >>> 0;
    case 0x30:
      return Math.floor(a / operand);
    case 0x40:
      return (a | operand) >>> 0;
    case 0x50:
      return (a & operand) >>> 0;
    case 0x60:
      return operand > 31 ? 0 : (a << operand) >>> 0;
    case 0x70:
      return operand > 31 ? 0 : a >>> operand;
    case 0x90:
      return a % operand;
    default:
      return (a ^ operand) >>> 0;
  }
}
