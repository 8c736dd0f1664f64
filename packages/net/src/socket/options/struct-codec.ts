import { checkBoolean, checkInteger, invalidType } from '../../errors/index.ts';
import type { Word } from './native-words.ts';
import type { OptionCodec } from './option-codec.ts';

/** The fields of a C struct, in its order; each lies at the next multiple of its size. */
export type StructFields = Readonly<Record<string, Word<number> | Word<bigint> | Word<boolean>>>;

type FieldValue<Field> = Field extends Word<infer Value> ? Value : never;

export type StructValue<Fields extends StructFields> = {
  readonly [Name in keyof Fields]: FieldValue<Fields[Name]>;
};

interface Placed {
  readonly name: string;
  readonly word: Word<unknown>;
  readonly at: number;
}

function place(fields: StructFields): { placed: Placed[]; size: number } {
  let at = 0;
  let widest = 1;
  const placed = Object.entries(fields).map(([name, word]) => {
    at = Math.ceil(at / word.size) * word.size;
    widest = Math.max(widest, word.size);
    const field = { name, word: word as Word<unknown>, at };
    at += word.size;
    return field;
  });
  return { placed, size: Math.ceil(at / widest) * widest };
}

/** An option that is a struct of numbers. A field beyond what the kernel gave is left out. */
export function struct<Fields extends StructFields>(
  fields: Fields,
): OptionCodec<StructValue<Fields>> {
  const { placed, size } = place(fields);
  return {
    kind: 'struct',
    size,
    decode: (bytes) => readFields(placed, bytes, 0) as StructValue<Fields>,
    encode(name, input) {
      const bytes = Buffer.alloc(size);
      writeFields(placed, bytes, 0, name, input);
      return bytes;
    },
  };
}

/** An option that is an array of such structs, `most` of them at most. */
export function structs<Fields extends StructFields>(
  fields: Fields,
  most: number,
): OptionCodec<readonly StructValue<Fields>[]> {
  const { placed, size } = place(fields);
  return {
    kind: 'struct',
    size: size * most,
    decode: (bytes) =>
      Array.from(
        { length: Math.floor(bytes.length / size) },
        (_, i) => readFields(placed, bytes, i * size) as StructValue<Fields>,
      ),
    encode(name, input) {
      if (!Array.isArray(input)) throw invalidType(name, 'an array', input);
      checkInteger(`${name}.length`, input.length, 0, most);
      const bytes = Buffer.alloc(size * input.length);
      for (let i = 0; i < input.length; i++)
        writeFields(placed, bytes, i * size, `${name}[${i}]`, input[i]);
      return bytes;
    },
  };
}

function readFields(placed: readonly Placed[], bytes: Uint8Array, from: number): object {
  return Object.fromEntries(
    placed
      .filter(({ at, word }) => from + at + word.size <= bytes.length)
      .map(({ name, word, at }) => [name, word.read(bytes, from + at)]),
  );
}

function writeFields(
  placed: readonly Placed[],
  bytes: Uint8Array,
  from: number,
  path: string,
  input: unknown,
): void {
  if (typeof input !== 'object' || input === null) throw invalidType(path, 'an object', input);
  for (const { name, word, at } of placed) {
    const value: unknown = (input as Record<string, unknown>)[name];
    word.write(bytes, from + at, checkField(`${path}.${name}`, word, value));
  }
}

function checkField(path: string, word: Word<unknown>, value: unknown): unknown {
  if (word.range !== undefined) {
    if (value === word.range[1]) return value;
    return checkInteger(
      path,
      value,
      word.range[0],
      Math.min(word.range[1], Number.MAX_SAFE_INTEGER),
    );
  }
  if (word.size === 8) {
    if (typeof value !== 'bigint') throw invalidType(path, 'a bigint', value);
    return value;
  }
  return checkBoolean(path, value);
}
