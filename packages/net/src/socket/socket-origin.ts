import { native } from '@sockeye/native';
import {
  AF_UNIX,
  IPPROTO_TCP,
  SO_PROTOCOL,
  SOCK_DGRAM,
  SOCK_STREAM,
  SOL_SOCKET,
  TCP_NODELAY,
} from '../constants/index.ts';
import type { CreationSite } from './creation-site.ts';
import { isUdp } from './is-udp.ts';

/** What a socket is. */
export interface SocketKind {
  readonly family: number;
  readonly type: number;
  readonly proto: number;
}

const word = new Int32Array(1);
const wordBytes = new Uint8Array(word.buffer);

/** What a listener and all that is accepted from it, or a descriptor and its duplicates, share. */
export class SocketOrigin {
  readonly kind: SocketKind;
  /** Where it was made, for the warning that nobody closed it. */
  readonly site: CreationSite | undefined;
  readonly isStream: boolean;
  /** UDP and Unix datagrams: they may leave with others. */
  readonly sendsDatagrams: boolean;
  #isTcp: boolean | undefined;

  constructor(kind: SocketKind, site?: CreationSite) {
    this.kind = kind;
    this.site = site;
    this.isStream = kind.type === SOCK_STREAM;
    this.sendsDatagrams = isUdp(kind) || (kind.family === AF_UNIX && kind.type === SOCK_DGRAM);
  }

  /** What the kernel says, not what the caller claimed when `fd`, one of them, was adopted. */
  isTcp(fd: number): boolean {
    this.#isTcp ??= wordOption(fd, SOL_SOCKET, SO_PROTOCOL) === IPPROTO_TCP;
    return this.#isTcp;
  }

  /** Whether Nagle's algorithm may hold small sends back: by TCP without TCP_NODELAY. */
  holdsBack(fd: number): boolean {
    return this.isTcp(fd) && wordOption(fd, IPPROTO_TCP, TCP_NODELAY) === 0;
  }
}

function wordOption(fd: number, level: number, name: number | undefined): number | undefined {
  if (name === undefined) return undefined;
  const status = native.getsockopt(fd, level, name, wordBytes);
  return status === wordBytes.length ? word[0] : undefined;
}
