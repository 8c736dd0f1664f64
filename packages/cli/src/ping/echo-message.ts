import { randomBytes } from 'node:crypto';
import { internetChecksum } from './internet-checksum.ts';

// RFC 792 and RFC 4443, section 4:
//
//   0      1      2          4            6          8
//   +------+------+----------+------------+----------+---------//
//   | type | code | checksum | identifier | sequence | data
//   +------+------+----------+------------+----------+---------//
const HEADER = 8;
const TOKEN_BYTES = 8;

/** The types of the two messages. */
export const ECHO_TYPE = {
  4: { request: 8, reply: 0 },
  6: { request: 128, reply: 129 },
} as const;

export type IpVersion = 4 | 6;

/** What an echo message says of itself. */
export interface EchoHeader {
  readonly type: number;
  readonly identifier: number;
  readonly sequence: number;
}

/** Reads the header; undefined where there is none. */
export function readEchoHeader(message: Buffer): EchoHeader | undefined {
  if (message.length < HEADER) return undefined;
  return {
    type: message.readUInt8(0),
    identifier: message.readUInt16BE(4),
    sequence: message.readUInt16BE(6),
  };
}

/**
 * The echo requests of one run, and what their replies must look like: all carry the same data,
 * which starts with a random token, so that another run's reply is told apart even where the kernel
 * hands out every reply (raw sockets).
 */
export class EchoMessages {
  readonly version: IpVersion;
  readonly identifier: number;
  /** Bytes of a whole message. */
  readonly length: number;
  #data: Buffer;

  /** @param size bytes of data, 0…65,507 */
  constructor(version: IpVersion, identifier: number, size: number) {
    this.version = version;
    this.identifier = identifier;
    this.length = HEADER + size;
    this.#data = Buffer.from(Uint8Array.from({ length: size }, (_, i) => i & 0xff));
    randomBytes(Math.min(size, TOKEN_BYTES)).copy(this.#data);
  }

  /** The request of a sequence number, of which the low 16 bits travel. */
  request(sequence: number): Buffer {
    const message = Buffer.alloc(this.length);
    message.writeUInt8(ECHO_TYPE[this.version].request, 0);
    message.writeUInt16BE(this.identifier, 4);
    message.writeUInt16BE(sequence & 0xffff, 6);
    message.set(this.#data, HEADER);
    // ICMPv6's covers a pseudo-header with the source address, which the kernel knows: raw(7).
    if (this.version === 4) message.writeUInt16BE(internetChecksum(message), 2);
    return message;
  }

  /** Whether a header is of a request of this run. */
  isRequest(header: EchoHeader | undefined): header is EchoHeader {
    return this.#isOurs(header, 'request');
  }

  /** Whether a header is of a reply to this run. */
  isReply(header: EchoHeader | undefined): header is EchoHeader {
    return this.#isOurs(header, 'reply');
  }

  #isOurs(header: EchoHeader | undefined, kind: 'request' | 'reply'): boolean {
    return header?.type === ECHO_TYPE[this.version][kind] && header.identifier === this.identifier;
  }

  /** Whether the token is ours; true where there was no room for one. */
  hasToken(message: Buffer): boolean {
    if (this.#data.length < TOKEN_BYTES) return true;
    const token = message.subarray(HEADER, HEADER + TOKEN_BYTES);
    return token.equals(this.#data.subarray(0, TOKEN_BYTES));
  }

  /** Whether the data came back as it was sent. */
  hasData(message: Buffer): boolean {
    return message.subarray(HEADER).equals(this.#data);
  }
}
