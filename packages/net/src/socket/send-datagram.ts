import { native } from '@sockeye/native';
import { type AddressInput, encodeAddressInto, MAX_ADDRESS_LENGTH } from '../address/index.ts';
import { EAGAIN } from '../constants/index.ts';
import type { Descriptor } from './descriptor.ts';
import { interfaceNames } from './interface-names.ts';
import { isUdp } from './is-udp.ts';
import { joinedSends, MAX_JOINED, MAX_JOINED_BYTES } from './joined-sends.ts';
import { type Attempt, type Operation, WOULD_BLOCK } from './operation.ts';
import type { Waiting } from './pending.ts';
import { isImmediate } from './receive.ts';
import { addressIn } from './scratch.ts';
import type { Target } from './send.ts';

// struct DatagramWord of calls-message.cc.
const [OFFSET, BYTES, ADDRESS_OFFSET, ADDRESS_LENGTH, RESULT, DATAGRAM_WORDS] = [0, 1, 2, 3, 4, 5];
const words = new Int32Array(MAX_JOINED * DATAGRAM_WORDS);
const group: SendDatagram[] = [];

/** Stands for the address of a connected socket's peer. */
export const PEER: unique symbol = Symbol('peer');

/**
 * `sendto`, and `send` on a datagram socket. The address is encoded, and so checked, at the call. A
 * class, because a server makes one for each datagram.
 */
export class SendDatagram implements Operation<number> {
  readonly direction = 'write';
  readonly address: AddressInput | undefined;
  readonly immediate: ReturnType<typeof isImmediate>;
  #descriptor: Descriptor;
  #data: Uint8Array;
  #length: number;
  #flags: number;
  // The first attempt follows at once; by a later one another call has used the scratch.
  #sockaddr = addressIn;
  #sockaddrLength = 0;
  /** Where it lies in the memory of joined sends, the address first; else -1. */
  #at = -1;
  /** What the kernel said when it left with others: bytes, or -errno. */
  #outcome: number | undefined;

  constructor(
    { descriptor, family, proto }: Target,
    data: Uint8Array,
    address: AddressInput | typeof PEER,
    flags: number,
  ) {
    this.immediate = isImmediate(flags);
    if (address !== PEER) this.address = address;
    this.#descriptor = descriptor;
    this.#data = data;
    this.#length = data.length;
    this.#flags = flags;
    if (address === PEER) return;
    this.#sockaddrLength = encodeAddressInto(family, proto, address, addressIn, interfaceNames);
  }

  get syscall(): 'send' | 'sendto' {
    return this.address === undefined ? 'send' : 'sendto';
  }

  /** Whether it has been copied, to leave with others. */
  get joined(): boolean {
    return this.#at >= 0;
  }

  /** Whether it may leave with others. */
  get mayJoin(): boolean {
    return this.#flags === 0 && this.#length <= MAX_JOINED_BYTES;
  }

  /** Copies it, so that it can leave with others; false when there is no room left. */
  join(): boolean {
    const from = this.#sockaddrLength;
    const at = this.#data.length < this.#length ? -1 : joinedSends.take(from + this.#length);
    if (at < 0) return false;
    const { memory } = joinedSends;
    // A sockaddr is short: by bytes it takes a third of what a call does.
    for (let i = 0; i < from; i++) memory[at + i] = this.#sockaddr[i] as number;
    memory.set(this.#data, at + from);
    this.#at = at;
    return true;
  }

  /** It has to wait: if it is short, its bytes stay those at the call. Copying long ones costs. */
  keep(): void {
    if (this.#at >= 0) return;
    if (this.#length <= MAX_JOINED_BYTES) this.#data = Buffer.from(this.#data);
    if (this.#sockaddrLength === 0) return;
    this.#sockaddr = Buffer.from(addressIn.subarray(0, this.#sockaddrLength));
  }

  /** Leaves the memory of joined sends: it has to wait. */
  own(): void {
    if (this.#at < 0) return;
    const end = this.#at + this.#sockaddrLength;
    const { memory } = joinedSends;
    this.#data = Buffer.from(memory.subarray(end, end + this.#length));
    const sockaddr = Buffer.alloc(MAX_ADDRESS_LENGTH);
    memory.copy(sockaddr, 0, this.#at, end);
    this.#sockaddr = sockaddr;
    this.#at = -1;
  }

  attempt(): Attempt<number> {
    let count = this.#outcome;
    if (count === undefined) {
      const { head } = this.#descriptor.writer;
      if (this.#at >= 0 && head?.operation === this && head.behind !== undefined)
        sendTogether(head);
      count = this.#outcome ?? this.#send();
    }
    if (count === -(EAGAIN as number)) return WOULD_BLOCK;
    if (count < 0) throw this.#descriptor.error(this.syscall, -count, { address: this.address });
    this.#descriptor.writer.chargeCall(count);
    return count;
  }

  #send(): number {
    const { fd } = this.#descriptor;
    const joined = this.#at >= 0;
    const data = joined ? joinedSends.memory : this.#data;
    const from = joined ? this.#at + this.#sockaddrLength : 0;
    if (this.#sockaddrLength === 0) {
      return native.send(fd, data, from, this.#length, this.#flags);
    }
    const sockaddr = joined ? joinedSends.memory.subarray(this.#at, from) : this.#sockaddr;
    return native.sendto(fd, data, from, this.#length, this.#flags, sockaddr, this.#sockaddrLength);
  }

  /** One that ends early may have left before: then that is its result. */
  partial(): number | undefined {
    return this.#outcome !== undefined && this.#outcome >= 0 ? this.#outcome : undefined;
  }

  /** Tells native.sendDatagrams of it, from `word` on. */
  describeAt(word: number): void {
    words[word + OFFSET] = this.#at + this.#sockaddrLength;
    words[word + BYTES] = this.#length;
    words[word + ADDRESS_OFFSET] = this.#at;
    words[word + ADDRESS_LENGTH] = this.#sockaddrLength;
  }

  /** Takes the result; one that has to wait has none. */
  takeOutcome(result: number): void {
    if (result !== -(EAGAIN as number)) this.#outcome = result;
  }

  get descriptor(): Descriptor {
    return this.#descriptor;
  }
}

/** Sends those that have been joined, from the head of a lane on, in one crossing. */
function sendTogether(head: Waiting): void {
  let count = 0;
  for (let at: Waiting | undefined = head; at !== undefined && count < MAX_JOINED; at = at.behind) {
    const { operation } = at;
    if (!(operation instanceof SendDatagram) || !operation.joined) break;
    operation.describeAt(count * DATAGRAM_WORDS);
    group[count++] = operation;
  }
  const { descriptor } = group[0] as SendDatagram;
  native.sendDatagrams(descriptor.fd, words, count, joinedSends.memory, isUdp(descriptor.kind));
  for (let i = 0; i < count; i++) {
    (group[i] as SendDatagram).takeOutcome(words[i * DATAGRAM_WORDS + RESULT] as number);
  }
  group.length = 0;
}
