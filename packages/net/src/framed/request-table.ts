import { inspect } from 'node:util';
import { invalidState } from '../errors/index.ts';

/** A request that waits for its reply. */
export interface PendingRequest<Message> {
  readonly resolve: (reply: Message) => void;
  readonly reject: (reason: unknown) => void;
}

// Late replies that are still recognised by their id; arbitrary.
const MAX_ABANDONED = 1024;

/** Which reply belongs to which request. */
export interface RequestTable<Message, Sent> {
  /** Requests that wait. */
  readonly waiting: number;
  /** Whether a message may be a reply at all. */
  readonly expects: boolean;
  /** Notes a request; gives the function that gives it up, whose late reply is then dropped. */
  add(request: Sent, pending: PendingRequest<Message>): () => void;
  /** Takes a message, if it is a reply. */
  take(message: Message): boolean;
  /** Rejects everything that waits. */
  fail(reason: unknown): void;
}

interface Slot<Message> {
  pending: PendingRequest<Message> | undefined;
}

/** The oldest request gets the next message: what pipelining protocols do. */
export class OrderedRequests<Message, Sent> implements RequestTable<Message, Sent> {
  #slots: Slot<Message>[] = [];
  #head = 0;
  waiting = 0;

  get expects(): boolean {
    return this.#head < this.#slots.length;
  }

  add(_request: Sent, pending: PendingRequest<Message>): () => void {
    const slot: Slot<Message> = { pending };
    this.#slots.push(slot);
    this.waiting++;
    return () => {
      if (slot.pending === undefined) return;
      slot.pending = undefined;
      this.waiting--;
    };
  }

  take(message: Message): boolean {
    const slot = this.#slots[this.#head];
    if (slot === undefined) return false;
    this.#head++;
    if (this.#head === this.#slots.length) {
      this.#slots = [];
      this.#head = 0;
    }
    const { pending } = slot;
    slot.pending = undefined;
    if (pending === undefined) return true;
    this.waiting--;
    pending.resolve(message);
    return true;
  }

  fail(reason: unknown): void {
    const slots = this.#slots.slice(this.#head);
    this.#slots = [];
    this.#head = 0;
    this.waiting = 0;
    for (const { pending } of slots) pending?.reject(reason);
  }
}

/** A message with a request's id is its reply, in whatever order they come. */
export class IdentifiedRequests<Message, Sent> implements RequestTable<Message, Sent> {
  readonly #idOf: (message: Message | Sent) => unknown;
  readonly #pending = new Map<unknown, PendingRequest<Message>>();
  readonly #abandoned = new Set<unknown>();

  constructor(idOf: (message: Message | Sent) => unknown) {
    this.#idOf = idOf;
  }

  get waiting(): number {
    return this.#pending.size;
  }

  get expects(): boolean {
    return this.#pending.size > 0 || this.#abandoned.size > 0;
  }

  add(request: Sent, pending: PendingRequest<Message>): () => void {
    const id = this.#idOf(request);
    if (id === undefined) throw invalidState('Cannot request: idOf(message) is undefined');
    if (this.#pending.has(id)) {
      throw invalidState(`Cannot request: a request with id ${inspect(id)} waits for its reply`);
    }
    this.#abandoned.delete(id);
    this.#pending.set(id, pending);
    return () => {
      if (this.#pending.get(id) !== pending) return;
      this.#pending.delete(id);
      this.#abandoned.add(id);
      if (this.#abandoned.size <= MAX_ABANDONED) return;
      for (const oldest of this.#abandoned) {
        this.#abandoned.delete(oldest);
        return;
      }
    };
  }

  take(message: Message): boolean {
    const id = this.#idOf(message);
    const pending = this.#pending.get(id);
    if (pending === undefined) return this.#abandoned.delete(id);
    this.#pending.delete(id);
    pending.resolve(message);
    return true;
  }

  fail(reason: unknown): void {
    const waiting = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject } of waiting) reject(reason);
  }
}
