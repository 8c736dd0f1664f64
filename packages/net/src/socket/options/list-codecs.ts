import { checkInteger, invalidType } from '../../errors/index.ts';
import { u16, u32, u8 } from './native-words.ts';
import type { OptionCodec } from './option-codec.ts';

/** An array of 32-bit numbers. */
export function numbers(most: number): OptionCodec<readonly number[]> {
  return {
    kind: 'struct',
    size: most * 4,
    decode: (bytes) =>
      Array.from({ length: Math.floor(bytes.length / 4) }, (_, i) => u32.read(bytes, i * 4)),
    encode: (name, input) => {
      const bytes = Buffer.alloc(4 * checkArray(name, input, most).length);
      input.forEach((value, i) =>
        u32.write(bytes, i * 4, checkInteger(`${name}[${i}]`, value, 0, 0xffffffff)),
      );
      return bytes;
    },
  };
}

/** A set of numbers below `most`, as an array in order: one bit each in 32-bit words. */
export function bitSet(most: number, first: number = 0): OptionCodec<readonly number[]> {
  return {
    kind: 'struct',
    size: Math.ceil(most / 32) * 4,
    decode(bytes) {
      const found: number[] = [];
      for (let i = 0; i < Math.min(bytes.length * 8, most); i++) {
        if (((u32.read(bytes, (i >> 5) * 4) >>> (i & 31)) & 1) === 1) found.push(i + first);
      }
      return found;
    },
    encode(name, input) {
      const bytes = Buffer.alloc(Math.ceil(most / 32) * 4);
      for (const value of checkArray(name, input, most)) {
        const at = ((checkInteger(name, value, first, most - 1 + first) - first) >> 5) * 4;
        u32.write(bytes, at, (u32.read(bytes, at) | (1 << ((value - first) & 31))) >>> 0);
      }
      return bytes;
    },
  };
}

/** An instruction of a classic BPF program. Source: linux/filter.h, struct sock_filter. */
export interface FilterInstruction {
  /** BPF_LD | BPF_W | BPF_ABS, … */
  readonly code: number;
  /** Instructions to skip where a jump's condition is true, and where it isn't: 0…255. */
  readonly jt: number;
  readonly jf: number;
  /** 0…2^32-1. */
  readonly k: number;
}

const INSTRUCTION_BYTES = 8;
// BPF_MAXINSNS.
const MAX_INSTRUCTIONS = 4096;

/** A classic BPF program; the native core makes the struct sock_fprog that points to it. */
export const filterProgram: OptionCodec<readonly FilterInstruction[]> = {
  kind: 'struct',
  size: MAX_INSTRUCTIONS * INSTRUCTION_BYTES,
  decode: (bytes) =>
    Array.from({ length: Math.floor(bytes.length / INSTRUCTION_BYTES) }, (_, i) => {
      const at = i * INSTRUCTION_BYTES;
      return {
        code: u16.read(bytes, at),
        jt: u8.read(bytes, at + 2),
        jf: u8.read(bytes, at + 3),
        k: u32.read(bytes, at + 4),
      };
    }),
  encode(name, input) {
    const program = checkArray(name, input, MAX_INSTRUCTIONS);
    const bytes = Buffer.alloc(program.length * INSTRUCTION_BYTES);
    program.forEach((instruction: unknown, i) => {
      if (typeof instruction !== 'object' || instruction === null)
        throw invalidType(`${name}[${i}]`, 'an object', instruction);
      const { code, jt, jf, k } = instruction as Partial<FilterInstruction>;
      const at = i * INSTRUCTION_BYTES;
      u16.write(bytes, at, checkInteger(`${name}[${i}].code`, code, 0, 0xffff));
      u8.write(bytes, at + 2, checkInteger(`${name}[${i}].jt`, jt, 0, 0xff));
      u8.write(bytes, at + 3, checkInteger(`${name}[${i}].jf`, jf, 0, 0xff));
      u32.write(bytes, at + 4, checkInteger(`${name}[${i}].k`, k, 0, 0xffffffff));
    });
    return bytes;
  },
};

function checkArray<Item>(name: string, input: readonly Item[], most: number): readonly Item[] {
  if (!Array.isArray(input)) throw invalidType(name, 'an array', input);
  checkInteger(`${name}.length`, input.length, 0, most);
  return input;
}
