import type { Codec } from '../codec/index.ts';
import type { Descriptor, Wait } from '../socket/descriptor.ts';
import { GATHER_BYTES } from '../socket/engine.ts';
import type { Operation } from '../socket/operation.ts';
import { receive } from '../socket/receive.ts';
import { SendAll } from '../socket/send-all.ts';
import type { ByteChannel } from './byte-channel.ts';
import type { Outgoing } from './outgoing.ts';
import { SendQueue } from './send-queue.ts';

// A receive is copied and its messages keep the copy alive, so it is half of what the poller could
// give; and little from a peer that takes less than is sent to it. Measured with 200 peers that
// never read: the process grew by 36–61 MB with 32 and 8 KiB, by 54–74 with 64 and 16.
const CHUNK_BYTES = 32 * 1024;
const LITTLE_BYTES = 8 * 1024;

/** What a channel needs of the object whose descriptor it uses. */
export interface DescriptorOwner {
  readonly proto: number;
  /** How an operation waits that starts now. */
  wait(): Wait;
  close(): void;
  abort(reason: Error): void;
}

/**
 * The stream path: bytes go between the descriptor and the codec without a detour. A receive is one
 * reused operation, the sends of a turn are another.
 */
export class DescriptorChannel implements ByteChannel {
  readonly outgoing: Outgoing;
  #descriptor: Descriptor;
  #owner: DescriptorOwner;
  #receive: Operation<Buffer>;
  #receiveLittle: Operation<Buffer>;
  #queue: SendQueue | undefined;

  constructor(descriptor: Descriptor, owner: DescriptorOwner, outgoing: Outgoing) {
    this.outgoing = outgoing;
    this.#descriptor = descriptor;
    this.#owner = owner;
    const source = { descriptor, proto: owner.proto, waitsForAll: false };
    this.#receive = receive(source, CHUNK_BYTES, 0);
    this.#receiveLittle = receive(source, LITTLE_BYTES, 0);
  }

  get closed(): boolean {
    return this.#descriptor.closed;
  }

  receive(onChunk: (chunk: Buffer) => void, onError: (error: unknown) => void): void {
    const operation = this.outgoing.queued > 0 ? this.#receiveLittle : this.#receive;
    this.#descriptor.startWith(operation, this.#owner.wait(), onChunk, onError);
  }

  send<Sent>(codec: Codec<unknown, Sent>, message: Sent): void {
    if (codec.encodeInto !== undefined) {
      const queue = this.#open();
      const bytes = codec.encodeInto(message, queue.block, queue.length);
      if (bytes > 0) {
        queue.extend(bytes);
        this.#added(queue, bytes);
        return;
      }
    }
    const frame = codec.encode(message);
    if (!Array.isArray(frame)) this.#append(frame);
    else for (const piece of frame) this.#append(piece);
  }

  #append(piece: Uint8Array): void {
    if (piece.length > GATHER_BYTES) {
      this.#sendUncopied(piece);
      return;
    }
    for (let done = 0; done < piece.length; ) {
      const queue = this.#open();
      const bytes = queue.append(done === 0 ? piece : piece.subarray(done));
      if (bytes > 0) this.#added(queue, bytes);
      if (queue.length === queue.block.length) this.#queue = new SendQueue(this.#descriptor, false);
      done += bytes;
    }
  }

  /** The operation that takes further bytes. */
  #open(): SendQueue {
    this.#queue ??= new SendQueue(this.#descriptor, true);
    return this.#queue;
  }

  #added(queue: SendQueue, bytes: number): void {
    this.outgoing.add(bytes);
    if (queue.length > bytes) return;
    // The first bytes: the others of this turn join them before they leave.
    this.#descriptor.startWith(
      queue,
      this.#owner.wait(),
      () => this.#sent(queue),
      (error) => this.#failed(queue, error),
    );
  }

  #sent(queue: SendQueue): void {
    const bytes = queue.length;
    if (this.#queue === queue) this.#queue = undefined;
    queue.release();
    this.outgoing.sent(bytes);
  }

  #failed(queue: SendQueue, error: unknown): void {
    if (this.#queue === queue) this.#queue = undefined;
    queue.release();
    this.outgoing.fail(error);
  }

  /** Copying a long piece costs more than the system call that it saves. */
  #sendUncopied(piece: Uint8Array): void {
    // What comes later goes behind it.
    this.#queue = undefined;
    this.outgoing.add(piece.length, true);
    this.#descriptor.startWith(
      new SendAll(this.#descriptor, piece, 0),
      this.#owner.wait(),
      () => this.outgoing.sent(piece.length, true),
      (error) => this.outgoing.fail(error),
    );
  }

  close(): Promise<void> {
    this.#owner.close();
    return Promise.resolve();
  }

  abort(reason: Error): void {
    this.#owner.abort(reason);
  }
}
