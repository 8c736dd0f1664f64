import {
  type BpfInstruction,
  compileFilter,
  FilterError,
  linkType,
  type PacketItem,
  parseFilter,
  runBpf,
} from '@sockeye/net/dissect';
import { usageError } from '../command-error.ts';

// The filter compiler knows four link types; these have one of them behind a header of so many bytes.
const BEHIND_HEADER: ReadonlyMap<number, readonly [number, number]> = new Map([
  [linkType.null, [linkType.raw, 4]],
  [linkType.loop, [linkType.raw, 4]],
  [linkType.ipv4, [linkType.raw, 0]],
  [linkType.ipv6, [linkType.raw, 0]],
]);

interface Program {
  readonly instructions: readonly BpfInstruction[];
  readonly skip: number;
}

/** A filter for the packets of a file, whose link types turn up as it is read. */
export class PacketFilter {
  readonly text: string;
  readonly #programs = new Map<number, Program>();

  /** @throws CommandError with exit status 2 and the place that is wrong */
  constructor(text: string) {
    this.text = text;
    explained(() => parseFilter(text));
  }

  get isEmpty(): boolean {
    return this.text.trim() === '';
  }

  /** @throws CommandError with exit status 2 when the link type can't have such a filter */
  passes(item: PacketItem): boolean {
    if (this.isEmpty) return true;
    const { instructions, skip } = this.#program(item.linkType);
    const { buffer, start, end, originalLength } = item;
    if (start + skip > end) return false;
    const packet = { bytes: buffer, start: start + skip, end };
    return runBpf(instructions, { ...packet, originalLength: originalLength - skip }) > 0;
  }

  #program(type: number): Program {
    const known = this.#programs.get(type);
    if (known !== undefined) return known;
    const [layout, skip] = BEHIND_HEADER.get(type) ?? [type, 0];
    const instructions = explained(() => compileFilter(this.text, { linkType: layout }));
    const program = { instructions, skip };
    this.#programs.set(type, program);
    return program;
  }
}

/** Says a wrong filter as wrong usage. */
export function explained<Result>(compile: () => Result): Result {
  try {
    return compile();
  } catch (error) {
    if (error instanceof FilterError || error instanceof RangeError) {
      throw usageError(error.message);
    }
    throw error;
  }
}
