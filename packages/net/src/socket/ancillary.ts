import { checkInteger, invalidType, outOfRange } from '../errors/index.ts';

// struct cmsghdr of a 64-bit system (cmsg(3)); each message starts on a multiple of 8:
//
//   0        8       12      16
//   +--------+-------+-------+---------//--+------+
//   | length | level | type  | data        | pad  |
//   +--------+-------+-------+---------//--+------+
//
// `length` counts header and data, not the padding.
const HEADER = 16;
const ALIGN = 8;
const MAX_INT = 0x7fffffff;
const MIN_INT = -0x80000000;

/** One control message. */
export interface AncillaryMessage {
  /** SOL_SOCKET, IPPROTO_IP, IPPROTO_IPV6, … */
  readonly level: number;
  /** SCM_RIGHTS, IP_PKTINFO, … */
  readonly type: number;
  readonly data: Uint8Array;
}

/** The same as it was received. */
export interface ReceivedAncillary extends AncillaryMessage {
  readonly data: Buffer;
}

const align = (length: number): number => Math.ceil(length / ALIGN) * ALIGN;

/**
 * The value of a control message's length field for `length` bytes of data.
 *
 * @throws RangeError unless the result fits an int
 * Source: cmsg(3).
 */
export function CMSG_LEN(length: number): number {
  return HEADER + checkInteger('length', length, 0, MAX_INT - HEADER);
}

/**
 * The room that a control message with `length` bytes of data takes, padding included.
 *
 * @throws RangeError unless the result fits an int
 * Source: cmsg(3).
 */
export function CMSG_SPACE(length: number): number {
  return HEADER + align(checkInteger('length', length, 0, MAX_INT - HEADER - ALIGN));
}

/** A sendmsg's ancillary data, each field read once and checked. */
export function checkAncillary(value: unknown): AncillaryMessage[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value))
    throw invalidType('ancillary', 'an array of { level, type, data }', value);
  return value.map((item: unknown, i) => {
    if (typeof item !== 'object' || item === null) {
      throw invalidType(`ancillary[${i}]`, '{ level, type, data }', item);
    }
    const { level, type, data } = item as Partial<AncillaryMessage>;
    if (!(data instanceof Uint8Array))
      throw invalidType(`ancillary[${i}].data`, 'a Uint8Array', data);
    return {
      level: checkInteger(`ancillary[${i}].level`, level, MIN_INT, MAX_INT),
      type: checkInteger(`ancillary[${i}].type`, type, MIN_INT, MAX_INT),
      data,
    };
  });
}

/** The control buffer of a sendmsg; null for no messages. */
export function encodeAncillary(messages: readonly AncillaryMessage[]): Buffer | null {
  if (messages.length === 0) return null;
  const size = messages.reduce((sum, { data }) => sum + CMSG_SPACE(data.length), 0);
  if (size > MAX_INT) throw outOfRange('ancillary', `at most ${MAX_INT} bytes long`, size);
  const control = Buffer.alloc(size);
  let at = 0;
  for (const { level, type, data } of messages) {
    control.writeBigUInt64LE(BigInt(HEADER + data.length), at);
    control.writeInt32LE(level, at + 8);
    control.writeInt32LE(type, at + 12);
    control.set(data, at + HEADER);
    at += CMSG_SPACE(data.length);
  }
  return control;
}

/**
 * The control messages that a recvmsg left in `control`. One that was cut has the data that came;
 * one whose header was cut is left out (the kernel's flags have MSG_CTRUNC then).
 */
export function decodeAncillary(control: Buffer, length: number): ReceivedAncillary[] {
  const messages: ReceivedAncillary[] = [];
  let at = 0;
  while (at + HEADER <= length) {
    const claimed = Number(control.readBigUInt64LE(at));
    if (claimed < HEADER) break;
    const end = Math.min(at + claimed, length);
    messages.push({
      level: control.readInt32LE(at + 8),
      type: control.readInt32LE(at + 12),
      data: Buffer.from(control.subarray(at + HEADER, end)),
    });
    at += align(claimed);
  }
  return messages;
}
