import type { Address, AddressOf } from '../address/index.ts';
import { DatagramsAhead } from './datagrams-ahead.ts';
import type { Descriptor } from './descriptor.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import type { Source } from './receive.ts';
import { MAX_BATCH, ReceiveBatch } from './receive-batch.ts';

/** A message with its sender, as iteration yields it. */
export type Datagram<From = Address> = [Buffer, From | null];

// Room for the largest UDP datagram. An odd number of cache lines: at a distance of 64 KiB all
// slots would share one set of the cache.
const SLOT_BYTES = 65_536 + 64;

/** One step of an iteration: the next datagram, and behind it those that wait in the kernel. */
export class NextDatagram<Family extends number> implements Operation<Datagram<AddressOf<Family>>> {
  readonly syscall = 'recvmmsg';
  readonly direction = 'read';
  #descriptor: Descriptor;
  #batch: ReceiveBatch;

  constructor(source: Source) {
    this.#descriptor = source.descriptor;
    this.#batch = new ReceiveBatch(source, MAX_BATCH, SLOT_BYTES, 0);
  }

  attempt(): Attempt<Datagram<AddressOf<Family>>> {
    const ready = this.takeAhead();
    if (ready !== undefined) return ready;
    const received = this.#batch.fromKernel();
    if (received === WOULD_BLOCK) return received;
    const { wanted } = this.#batch;
    const emptied = received.length < wanted;
    DatagramsAhead.keep(this.#descriptor, received, emptied);
    return this.takeAhead() as Datagram<AddressOf<Family>>;
  }

  /** A datagram that was received before. */
  takeAhead(): Datagram<AddressOf<Family>> | undefined {
    const { ahead } = this.#descriptor;
    return ahead?.nextPair();
  }
}
