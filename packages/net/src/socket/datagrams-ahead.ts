// Iteration over a UDP socket receives what waits with one system call and hands it out one by one.
// What it has not handed out yet stays here, and every receive on the socket takes it first: a loop
// that ends early loses nothing, and the order is the kernel's. What UDP_GRO has joined is taken apart
// as it is handed out.

import type { Address } from '../address/index.ts';
import { makeView } from '../codec/make-view.ts';
import { MSG_ERRQUEUE, MSG_OOB, MSG_PEEK, MSG_TRUNC } from '../constants/index.ts';
import { invalidState } from '../errors/index.ts';
import type { Descriptor } from './descriptor.ts';
import type { ReceivedDatagram } from './receive-batch.ts';

const PAST_IT = (MSG_ERRQUEUE as number) | (MSG_OOB as number);

/** Datagrams that were received before anybody asked for them, in order; at least one. */
export class DatagramsAhead {
  #descriptor: Descriptor;
  #datagrams: ReceivedDatagram[];
  #at = 0;
  /** Where the next datagram begins in those that UDP_GRO has joined. */
  #offset = 0;
  /** The descriptor's events when the kernel had no more; undefined where it may have more. */
  #emptiedAt: number | undefined;

  /**
   * Puts datagrams before the descriptor's next receive.
   *
   * @param emptied whether the kernel had no more: then the receive after them waits for an event
   */
  static keep(descriptor: Descriptor, datagrams: ReceivedDatagram[], emptied: boolean): void {
    if (datagrams.length > 0) {
      descriptor.ahead = new DatagramsAhead(descriptor, datagrams, emptied);
    } else if (emptied) descriptor.reader.ready = false;
  }

  /** The datagram that a receive with these flags gets, or undefined where it asks the kernel. */
  static take(descriptor: Descriptor, flags: number): ReceivedDatagram | undefined {
    const { ahead } = descriptor;
    if (ahead === undefined || (flags & PAST_IT) !== 0) return undefined;
    return (flags & (MSG_PEEK as number)) === 0 ? ahead.next() : ahead.#first();
  }

  constructor(descriptor: Descriptor, datagrams: ReceivedDatagram[], emptied: boolean) {
    this.#descriptor = descriptor;
    this.#datagrams = datagrams;
    this.#emptiedAt = emptied ? descriptor.eventCount : undefined;
  }

  /** The next datagram, which leaves the queue. */
  next(): ReceivedDatagram {
    const message = this.#datagrams[this.#at] as ReceivedDatagram;
    const offset = this.#offset;
    this.#leave(message);
    return partOf(message, offset);
  }

  /** The same as iteration yields it. */
  nextPair<From extends Address>(): [Buffer, From | null] {
    const message = this.#datagrams[this.#at] as ReceivedDatagram<From>;
    const offset = this.#offset;
    this.#leave(message);
    return [dataOf(message, offset), addressOf(message, offset)];
  }

  /** Up to `count` datagrams with room for `size` bytes each, as recvmmsg(2) gives them. */
  many(count: number, size: number, flags: number): ReceivedDatagram[] {
    const [at, offset] = [this.#at, this.#offset];
    const { ready } = this.#descriptor.reader;
    const taken: ReceivedDatagram[] = [];
    while (taken.length < count && this.#at < this.#datagrams.length) {
      taken.push(cutTo(this.next(), size));
    }
    if ((flags & (MSG_PEEK as number)) !== 0) {
      [this.#at, this.#offset] = [at, offset];
      this.#descriptor.reader.ready = ready;
      this.#descriptor.ahead = this;
    }
    return taken;
  }

  #first(): ReceivedDatagram {
    return partOf(this.#datagrams[this.#at] as ReceivedDatagram, this.#offset);
  }

  /** The first one, of `message`, is handed out; all of them where their memory is gone. */
  #leave({ data, segmentSize }: ReceivedDatagram): void {
    if (segmentSize !== undefined) {
      this.#offset += segmentSize;
      if (this.#offset < data.length) return;
      this.#offset = 0;
    }
    this.#at++;
    if (this.#at === this.#datagrams.length) {
      this.#descriptor.ahead = undefined;
      // An event since then was for what came after these, and there is no second one for it.
      const { eventCount, reader } = this.#descriptor;
      if (this.#emptiedAt === eventCount) reader.ready = false;
    }
  }
}

/** The datagram that begins at `offset` of what UDP_GRO may have joined. */
function partOf(message: ReceivedDatagram, offset: number): ReceivedDatagram {
  if (message.segmentSize === undefined) return message;
  const { flags } = message;
  return { data: dataOf(message, offset), address: addressOf(message, offset), flags };
}

/** Its bytes. @throws ERR_INVALID_STATE when they are gone */
function dataOf({ data, segmentSize }: ReceivedDatagram, offset: number): Buffer {
  if (segmentSize === undefined) return data;
  // Several datagrams share it.
  if (data.length === 0) {
    throw invalidState('Cannot hand out a datagram: the memory of one before it was transferred');
  }
  const { buffer, byteOffset, length } = data;
  return makeView(buffer, byteOffset + offset, Math.min(segmentSize, length - offset));
}

/** One object for each, so that who changes one changes no other. */
function addressOf<From>({ address }: ReceivedDatagram<From>, offset: number): From | null {
  return offset === 0 || address === null ? address : { ...address };
}

/** As the kernel hands a datagram over that is longer than there is room. */
function cutTo(datagram: ReceivedDatagram, size: number): ReceivedDatagram {
  const { data, address, flags } = datagram;
  if (data.length <= size) return datagram;
  return { data: data.subarray(0, size), address, flags: flags | (MSG_TRUNC as number) };
}

/** A kept datagram in the caller's memory; the count that recvfrom(2) returns. */
export function copyInto(
  { data }: ReceivedDatagram,
  target: Uint8Array,
  offset: number,
  size: number,
  flags: number,
): number {
  const bytes = Math.min(size, data.length);
  data.copy(target, offset, 0, bytes);
  return (flags & (MSG_TRUNC as number)) === 0 ? bytes : data.length;
}
