import type { PacketClass } from '../classify.ts';
import type { Endpoint, PacketTime, Side } from './conversation-types.ts';

/** Packets and payload bytes that one side sent. */
export interface Traffic {
  packets: number;
  bytes: number;
}

/** Datagrams between two endpoints; the client is who sent the first. */
export class UdpConversation {
  readonly type = 'udp';
  readonly client: Endpoint;
  readonly server: Endpoint;
  readonly start: PacketTime;
  readonly sides: Readonly<Record<Side, Traffic>> = {
    client: { packets: 0, bytes: 0 },
    server: { packets: 0, bytes: 0 },
  };
  end: PacketTime;

  constructor(client: Endpoint, server: Endpoint, time: PacketTime) {
    this.client = client;
    this.server = server;
    this.start = time;
    this.end = time;
  }

  add(found: PacketClass, from: Side, time: PacketTime): void {
    this.end = time;
    this.sides[from].packets++;
    this.sides[from].bytes += found.wirePayloadLength;
  }
}
