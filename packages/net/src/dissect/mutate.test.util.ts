/** A small generator of numbers (xorshift32), so that a failure can be run again by its seed. */
export class Randomness {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0 || 1;
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state >>> 0;
    return this.#state % limit;
  }
}

const nasty = [0, 1, 2, 3, 4, 7, 8, 0x3f, 0x40, 0x7f, 0x80, 0xc0, 0xfe, 0xff];

/** A copy with some bytes flipped, replaced by nasty ones, cut off, doubled or taken from another sample. */
export function mutate(bytes: Uint8Array, other: Uint8Array, random: Randomness): Uint8Array {
  let mutant = Uint8Array.from(bytes);
  for (let changes = random.below(4) + 1; changes > 0; changes--) {
    const at = random.below(mutant.length + 1);
    switch (random.below(6)) {
      case 0:
        mutant = mutant.slice(0, at);
        break;
      case 1:
        mutant = Uint8Array.of(
          ...mutant.subarray(0, at),
          ...other.subarray(random.below(other.length + 1)),
        );
        break;
      case 2:
        mutant = Uint8Array.of(...mutant.subarray(0, at), ...mutant.subarray(Math.floor(at / 2)));
        break;
      case 3:
        mutant[at] = nasty[random.below(nasty.length)]!;
        break;
      default:
        mutant[at] = mutant[at]! ^ (1 << random.below(8));
    }
  }
  return mutant.length > 4096 ? mutant.slice(0, 4096) : mutant;
}
