// Who has a descriptor that travels between threads by its number? The kernel doesn't say, and a
// number closed twice may by then be another's. So each message has a word of shared memory with
// its id: who swaps it for 0 has the descriptor, and there is only one such.

const FREE = 0;

/** Words of shared memory, one for each message that hasn't been taken yet. */
export class Claims {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #free: number[];

  /** @param count messages that may be on their way at once */
  constructor(count: number) {
    this.memory = new SharedArrayBuffer(count * Int32Array.BYTES_PER_ELEMENT);
    this.#words = new Int32Array(this.memory);
    this.#free = Array.from({ length: count }, (_, i) => i);
  }

  /** Offers a message; returns its word. */
  offer(id: number): number {
    const word = this.#free.pop();
    if (word === undefined) throw new Error('Cannot offer: all words are taken');
    Atomics.store(this.#words, word, id);
    return word;
  }

  /** Takes a message back; false when the other side has it. */
  recall(word: number, id: number): boolean {
    if (!take(this.#words, word, id)) return false;
    this.release(word);
    return true;
  }

  /** The word of a message that was taken may be used again. */
  release(word: number): void {
    this.#free.push(word);
  }
}

/** Takes a message, as the side it was offered to; false when it was recalled. */
export function take(words: Int32Array, word: number, id: number): boolean {
  return Atomics.compareExchange(words, word, id, FREE) === id;
}
