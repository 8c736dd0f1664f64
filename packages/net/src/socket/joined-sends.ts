// Datagrams that are sent without a wait between them, as by Promise.all, cross into the native core
// together. The first of them has left at once; for the others it takes a microtask, which comes
// before the code that awaits the first: a loop that awaits each send never gets here twice.

/** Longer datagrams leave by themselves: copying them costs more than a crossing. Arbitrary. */
export const MAX_JOINED_BYTES = 2048;
/** The most that one crossing carries. */
export const MAX_JOINED = 64;
const MEMORY_BYTES = 256 * 1024;

/** What has datagrams here. */
export interface Joiner {
  /** Sends them, and takes what has to wait out of the memory. */
  sendJoined(): void;
}

const settled = Promise.resolve();

class JoinedSends {
  /** Grows when code that waited may have run. */
  segment = 0;
  #ends = false;
  #joiners: Joiner[] = [];
  #memory: Buffer | undefined;
  #used = 0;
  readonly #end = (): void => {
    this.segment++;
    this.#ends = false;
    this.flush();
  };

  /** Datagrams with their addresses; valid until the segment ends. */
  get memory(): Buffer {
    return (this.#memory ??= Buffer.allocUnsafeSlow(MEMORY_BYTES));
  }

  /** Notes that somebody sends; gives the segment. */
  enter(): number {
    if (!this.#ends) {
      this.#ends = true;
      void settled.then(this.#end);
    }
    return this.segment;
  }

  /** Room for so many bytes: where it begins, or -1 when there is none left. */
  take(bytes: number): number {
    if (this.#used + bytes > MEMORY_BYTES) return -1;
    const at = this.#used;
    this.#used += bytes;
    return at;
  }

  /** Has the joiner send at the end of the segment. */
  queue(joiner: Joiner): void {
    this.#joiners.push(joiner);
  }

  /** Sends now: the segment ends, or the thread is about to block. */
  flush(): void {
    const joiners = this.#joiners;
    if (joiners.length > 0) this.#joiners = [];
    for (const joiner of joiners) joiner.sendJoined();
    // Nobody of them has anything in the memory any more, but a callback may have joined again.
    if (this.#joiners.length === 0) this.#used = 0;
  }
}

/** The datagrams that this thread is about to send. */
export const joinedSends = new JoinedSends();
