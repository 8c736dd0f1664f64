// An ICMP socket and what comes out of it.
//
// Three things arrive, and the error queue has two of them: an ICMP error for a request of ours
// (IP_RECVERR, with the start of the request as its data), and a copy of each request with the time
// at which the kernel handed it to the device (SO_TIMESTAMPING). That copy starts with whatever
// headers the device has, so that the message is looked for at its end. It is in the queue before the
// reply can be in the other one: read the error queue first.
//
// A raw socket gets the replies and the errors of every process; a datagram socket only its own.
import { randomInt } from 'node:crypto';
import {
  MSG_DONTWAIT,
  MSG_ERRQUEUE,
  POLLIN,
  type ReceivedMessage,
  SO_EE_ORIGIN_LOCAL,
  SO_EE_ORIGIN_TIMESTAMPING,
  SOCK_DGRAM,
  SOCK_RAW,
  type Socket,
  SocketError,
} from '@sockeye/net';
import {
  extendedError,
  type ExtendedError,
  hostOf,
  kernelTime,
  timeToLive,
} from './control-messages.ts';
import { EchoMessages, type IpVersion, readEchoHeader } from './echo-message.ts';
import { internetChecksum } from './internet-checksum.ts';
import { type IcmpSocketOptions, openIcmpSocket } from './open-icmp-socket.ts';

// Room for what may come before a message: an IPv4 header with options is 60 bytes (RFC 791), the
// device's header 14 on Ethernet.
const HEADERS_BYTES = 256;
// Two timestamps' worth of structs, an error with an IPv6 offender, and a hop limit take 150.
const CONTROL_BYTES = 512;
// Arbitrary: messages to take before others have their turn.
const BATCH = 64;

/** What came out of the socket. */
export type IcmpEvent =
  | {
      readonly kind: 'reply';
      readonly sequence: number;
      readonly from: string;
      readonly bytes: number;
      readonly ttl: number | undefined;
      readonly isIntact: boolean;
      /** The kernel's time of arrival, in ns of CLOCK_REALTIME. */
      readonly time: bigint | undefined;
    }
  | { readonly kind: 'sent'; readonly sequence: number; readonly time: bigint }
  | { readonly kind: 'error'; readonly sequence: number; readonly error: ExtendedError };

/** Sends echo requests and tells what becomes of them. */
export class IcmpSocket implements Disposable {
  readonly messages: EchoMessages;
  #socket: Socket<number>;
  #address: string;

  /** @throws CommandError where the system doesn't allow it */
  constructor(
    target: { address: string; version: IpVersion },
    size: number,
    options: IcmpSocketOptions = {},
  ) {
    this.#socket = openIcmpSocket(target.version, options);
    this.#address = target.address;
    this.messages = new EchoMessages(target.version, this.#identifier(), size);
  }

  #identifier(): number {
    const name = this.#socket.getsockname();
    return this.#socket.type === SOCK_DGRAM && 'port' in name ? name.port : randomInt(0x1_0000);
  }

  /** @throws SocketError ENETUNREACH, EMSGSIZE, EPERM, … */
  async send(sequence: number): Promise<void> {
    try {
      await this.#sendOnce(sequence);
    } catch (error) {
      if (!(error instanceof SocketError)) throw error;
      // On a datagram socket an ICMP error of an earlier request fails the next send, once, if it
      // came after the last look at the error queue, which tells of it.
      await this.#sendOnce(sequence);
    }
  }

  async #sendOnce(sequence: number): Promise<void> {
    await this.#socket.sendto(this.messages.request(sequence), { host: this.#address, port: 0 });
  }

  /** Waits until there is something to take. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#socket.poll(POLLIN, { signal });
  }

  /** What has come for us: perhaps nothing, where others' messages came. */
  async take(): Promise<IcmpEvent[]> {
    const errors = await this.#receiveAll(MSG_ERRQUEUE);
    const replies = await this.#receiveAll(0);
    return [
      ...errors.flatMap((message) => this.#queued(message) ?? []),
      ...replies.flatMap((message) => this.#reply(message) ?? []),
    ];
  }

  async #receiveAll(flags: number): Promise<ReceivedMessage[]> {
    const room = this.messages.length + HEADERS_BYTES;
    const messages: ReceivedMessage[] = [];
    while (messages.length < BATCH) {
      try {
        messages.push(await this.#socket.recvmsg(room, CONTROL_BYTES, flags | MSG_DONTWAIT));
      } catch (error) {
        // EAGAIN: nothing is left. Any other is of a request, and the error queue tells of it better.
        if (error instanceof SocketError) break;
        throw error;
      }
    }
    return messages;
  }

  #reply({ data, address, ancillary }: ReceivedMessage): IcmpEvent | undefined {
    const isRaw4 = this.#socket.type === SOCK_RAW && this.messages.version === 4;
    // Only there does the IP header come along: raw(7), ipv6(7).
    const message = isRaw4 ? data.subarray(((data[0] ?? 0) & 0x0f) * 4) : data;
    const header = readEchoHeader(message);
    if (!this.messages.isReply(header)) return undefined;
    if (this.#socket.type === SOCK_RAW && !this.messages.hasToken(message)) return undefined;
    return {
      kind: 'reply',
      sequence: header.sequence,
      from: hostOf(address) ?? '',
      bytes: message.length,
      ttl: timeToLive(ancillary),
      // The kernel has not looked at what a raw IPv4 socket gets.
      isIntact: this.messages.hasData(message) && (!isRaw4 || internetChecksum(message) === 0),
      time: kernelTime(ancillary),
    };
  }

  #queued({ data, ancillary }: ReceivedMessage): IcmpEvent | undefined {
    const error = extendedError(ancillary);
    if (error === undefined) return undefined;
    if (error.origin === SO_EE_ORIGIN_TIMESTAMPING) return this.#sent(data, kernelTime(ancillary));
    const header = readEchoHeader(data);
    // What our own kernel refused, the send has told.
    if (error.origin === SO_EE_ORIGIN_LOCAL || !this.messages.isRequest(header)) return undefined;
    // As much of it came back as the router sent: RFC 792 asks for 8 bytes only.
    const isWhole = data.length >= this.messages.length;
    if (isWhole && !this.messages.hasToken(data)) return undefined;
    return { kind: 'error', sequence: header.sequence, error };
  }

  #sent(packet: Buffer, time: bigint | undefined): IcmpEvent | undefined {
    const message = packet.subarray(Math.max(packet.length - this.messages.length, 0));
    const header = readEchoHeader(message);
    if (time === undefined || !this.messages.isRequest(header)) return undefined;
    return { kind: 'sent', sequence: header.sequence, time };
  }

  [Symbol.dispose](): void {
    this.#socket.close();
  }
}
