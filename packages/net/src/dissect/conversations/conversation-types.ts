/** An address and a port, as text and number; the port is 0 where a protocol has none. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
}

/** Who sent a packet: the client is the one that began. */
export type Side = 'client' | 'server';

/** A moment as capture files have it. */
export interface PacketTime {
  /** Since 1970. */
  readonly seconds: number;
  /** Below 1e9. */
  readonly nanoseconds: number;
}

/** Nanoseconds from one moment to another; exact below 2^53 ns, 104 days. */
export function nanosecondsBetween(from: PacketTime, to: PacketTime): number {
  return (to.seconds - from.seconds) * 1e9 + (to.nanoseconds - from.nanoseconds);
}

/** Round-trip times seen so far, in nanoseconds. */
export class RoundTripTimes {
  count = 0;
  minimumNs = 0;
  maximumNs = 0;
  #sumNs = 0;

  get meanNs(): number {
    return this.count === 0 ? 0 : this.#sumNs / this.count;
  }

  add(ns: number): void {
    this.minimumNs = this.count === 0 ? ns : Math.min(this.minimumNs, ns);
    this.maximumNs = Math.max(this.maximumNs, ns);
    this.#sumNs += ns;
    this.count++;
  }

  toJSON(): { count: number; minimumNs: number; meanNs: number; maximumNs: number } {
    const { count, minimumNs, meanNs, maximumNs } = this;
    return { count, minimumNs, meanNs, maximumNs };
  }
}

export function otherSide(side: Side): Side {
  return side === 'client' ? 'server' : 'client';
}
