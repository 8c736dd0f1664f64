/** A TCP, UDP or TLS endpoint. */
export interface HostEndpoint {
  readonly transport: 'tcp' | 'udp' | 'tls';
  /** A name, or an address without brackets; `''` is every interface (for a client: this machine). */
  readonly host: string;
  readonly port: number;
}

/** The name of a Unix domain socket. */
export interface UnixEndpoint {
  readonly transport: 'unix' | 'unix-dgram' | 'unix-seqpacket';
  /** A path; an abstract name starts with `\0`. */
  readonly path: string;
}

/** A socket between a virtual machine and its host. */
export interface VsockEndpoint {
  readonly transport: 'vsock';
  /** `undefined` is any (for a server). */
  readonly cid: number | undefined;
  readonly port: number;
}

/** What an address on the command line stands for. */
export type Endpoint = HostEndpoint | UnixEndpoint | VsockEndpoint;

export type Transport = Endpoint['transport'];

export const TRANSPORTS: readonly Transport[] = [
  'tcp',
  'udp',
  'tls',
  'unix',
  'unix-dgram',
  'unix-seqpacket',
  'vsock',
];

/** Whether each send is a message of its own, which arrives whole. */
export function keepsMessages(transport: Transport): boolean {
  return transport === 'udp' || transport === 'unix-dgram' || transport === 'unix-seqpacket';
}

/** Whether there are no connections: a server hears of a client when its datagram comes. */
export function isConnectionless(transport: Transport): boolean {
  return transport === 'udp' || transport === 'unix-dgram';
}
