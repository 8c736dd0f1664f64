import { FrameMalformedError, FrameTruncatedError } from '../protocol-error.ts';

/**
 * One datagram of numbered messages, all integers big-endian:
 *
 * ```
 *  0               1               2               3
 * +---------------+---------------+-------+-------+-------------+-+
 * |      'S'      |      'K'      |version|  type |  0, reserved|A|
 * +---------------+---------------+-------+-------+-------------+-+
 * |       stream: chosen at random by the sender of the data      |
 * +---------------------------------------------------------------+
 * |  data: number of this message  |  ack: next number expected   |
 * +---------------------------------------------------------------+
 * |  data: the message, 0 bytes or more                           |
 * |  ack: 32 bits, lowest first: bit i set, next + 1 + i is here  |
 * +---------------------------------------------------------------+
 * ```
 *
 * Version 1; type 0 is data, 1 an acknowledgement of the data of `stream`; A asks for one. Numbers
 * are serial numbers of RFC 1982. A message is one datagram: nothing is split or joined, so what
 * exceeds the path's MTU is left to IP fragmentation. There is no checksum beside UDP's, no
 * encryption and no authentication: whoever can see or guess `stream` can forge a packet.
 */
export type SequencedPacket = DataPacket | AckPacket;

/** A numbered message. */
export interface DataPacket {
  readonly type: 'data';
  /** Tells this sender from others and from its own earlier runs; 32 bits. */
  readonly stream: number;
  readonly sequence: number;
  /** Whether the sender waits for an acknowledgement. */
  readonly acknowledge: boolean;
  /** The message; a view of the datagram when decoded. */
  readonly payload: Uint8Array;
}

/** What a receiver has got so far. */
export interface AckPacket {
  readonly type: 'ack';
  /** The stream that is acknowledged. */
  readonly stream: number;
  /** All numbers before this one have been received. */
  readonly next: number;
  /** Bit i, lowest first: number next + 1 + i has been received; 32 bits. */
  readonly selective: number;
}

/** Bytes of a data packet before the message. */
export const DATA_HEADER_BYTES = 12;
/** Bytes of an acknowledgement. */
export const ACK_BYTES = 16;

const MAGIC = 0x534b;
const VERSION = 1;
const DATA = 0;
const ACK = 1;
const FLAG_ACKNOWLEDGE = 1;

/** The datagram of a packet; the message is copied. */
export function encodeSequenced(packet: SequencedPacket): Buffer {
  if (packet.type === 'ack') {
    const bytes = Buffer.allocUnsafe(ACK_BYTES);
    writeHeader(bytes, { type: ACK, flags: 0, stream: packet.stream, serial: packet.next });
    bytes.writeUInt32BE(packet.selective, 12);
    return bytes;
  }
  const { stream, sequence, payload } = packet;
  const bytes = Buffer.allocUnsafe(DATA_HEADER_BYTES + payload.length);
  const flags = packet.acknowledge ? FLAG_ACKNOWLEDGE : 0;
  writeHeader(bytes, { type: DATA, flags, stream, serial: sequence });
  bytes.set(payload, DATA_HEADER_BYTES);
  return bytes;
}

function writeHeader(
  bytes: Buffer,
  header: { type: number; flags: number; stream: number; serial: number },
): void {
  bytes.writeUInt16BE(MAGIC, 0);
  bytes.writeUInt8((VERSION << 4) | header.type, 2);
  bytes.writeUInt8(header.flags, 3);
  bytes.writeUInt32BE(header.stream, 4);
  bytes.writeUInt32BE(header.serial, 8);
}

/**
 * The packet in a datagram. Nothing is kept or changed on an error, so that a stray datagram can be
 * dropped and the next one read.
 * @throws FrameTruncatedError when the datagram is shorter than its header
 * @throws FrameMalformedError when it is of another format, version or type
 */
export function decodeSequenced(datagram: Uint8Array): SequencedPacket {
  const bytes = Buffer.from(datagram.buffer, datagram.byteOffset, datagram.length);
  if (bytes.length < DATA_HEADER_BYTES) {
    const state = `a datagram of ${bytes.length} bytes is shorter than its ${DATA_HEADER_BYTES}-byte header`;
    throw new FrameTruncatedError('decode', state);
  }
  if (bytes.readUInt16BE(0) !== MAGIC) throw malformed('a datagram is no sequenced packet');
  const version = bytes.readUInt8(2) >> 4;
  if (version !== VERSION) throw malformed(`version ${version}, known is ${VERSION}`);
  const type = bytes.readUInt8(2) & 0xf;
  if (type === DATA) return decodeData(bytes);
  if (type === ACK) return decodeAck(bytes);
  throw malformed(`type ${type}, known are ${DATA} and ${ACK}`);
}

function decodeData(bytes: Buffer): DataPacket {
  const flags = bytes.readUInt8(3);
  if (flags > FLAG_ACKNOWLEDGE) throw malformed(`reserved flags ${flags} are set`);
  return {
    type: 'data',
    stream: bytes.readUInt32BE(4),
    sequence: bytes.readUInt32BE(8),
    acknowledge: flags === FLAG_ACKNOWLEDGE,
    payload: bytes.subarray(DATA_HEADER_BYTES),
  };
}

function decodeAck(bytes: Buffer): AckPacket {
  if (bytes.length !== ACK_BYTES) {
    throw malformed(`an acknowledgement has ${bytes.length} bytes, not ${ACK_BYTES}`);
  }
  const flags = bytes.readUInt8(3);
  if (flags !== 0) throw malformed(`reserved flags ${flags} are set`);
  return {
    type: 'ack',
    stream: bytes.readUInt32BE(4),
    next: bytes.readUInt32BE(8),
    selective: bytes.readUInt32BE(12),
  };
}

function malformed(state: string): FrameMalformedError {
  return new FrameMalformedError('decode', state);
}
