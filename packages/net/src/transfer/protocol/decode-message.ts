import { crc32 } from 'node:zlib';
import { MAGIC } from './encode-message.ts';
import { FieldReader, malformed } from './field-reader.ts';
import { pathFault } from './check-name.ts';
import {
  BLOCK_BYTES,
  HASH_BYTES,
  MAX_DEPTH,
  MAX_ENTRIES,
  MAX_FILE_BYTES,
  MAX_NAME_BYTES,
  MAX_OFFERED_NAMES,
  MAX_REASON_BYTES,
  WHOLE_BYTES,
} from './limits.ts';
import { type Entry, type Message, type MessageType, type Role, TYPE_NUMBERS } from './message.ts';
import { reasonOf } from './reason.ts';

const MAX_BLOCKS = MAX_FILE_BYTES / BLOCK_BYTES;
const MAX_HASH_NAMES = 16;
const MAX_HASH_NAME_BYTES = 32;

const types = new Map<number, MessageType>(
  Object.entries(TYPE_NUMBERS).map(([name, number]) => [number, name as MessageType]),
);

/**
 * The message in a frame's body. A block's payload is a view of the body.
 *
 * @param frameBytes what the prefix said, where a block's payload isn't in the body
 * @throws FrameMalformedError for bytes that are no message, a name that safety forbids included
 */
export function decodeMessage(body: Buffer, frameBytes: number = body.length): Message {
  const fields = new FieldReader(body);
  const number = fields.u8();
  const type = types.get(number);
  if (type === undefined) malformed(`message type ${number} is unknown`);
  const message = readFields(type, fields);
  checkSum(body, fields, frameBytes);
  if (message.type === 'block' || message.type === 'repair') {
    return { ...message, payload: fields.bytes(fields.left) };
  }
  if (message.type === 'whole') return { ...message, payload: wholeContent(message.entry, fields) };
  // A later version may append fields to a greeting, in which it says that it is later.
  if (fields.left > 0 && type !== 'hello') malformed(`${type} has ${fields.left} bytes too many`);
  return message;
}

function wholeContent({ kind, size }: Entry, fields: FieldReader): Buffer {
  if (kind !== 'file' || size > WHOLE_BYTES || size !== fields.left) {
    malformed(`a ${kind} of ${size} bytes has ${fields.left} with it, at most ${WHOLE_BYTES}`);
  }
  return fields.bytes(size);
}

/** The checksum covers the prefix, the type and the fields. */
function checkSum(body: Buffer, fields: FieldReader, frameBytes: number): void {
  const end = fields.at;
  const prefix = Buffer.allocUnsafe(4);
  prefix.writeUInt32BE(frameBytes);
  if (fields.u32() !== crc32(body.subarray(0, end), crc32(prefix))) {
    malformed('the checksum is wrong');
  }
}

function readFields(type: MessageType, fields: FieldReader): Message {
  switch (type) {
    case 'hello':
      return readHello(fields);
    case 'offer':
      return {
        type,
        entries: bounded('entries', fields.u32(), MAX_ENTRIES),
        bytes: fields.u64('bytes', Number.MAX_SAFE_INTEGER),
        names: readTexts(fields, 'name', MAX_OFFERED_NAMES, MAX_NAME_BYTES),
      };
    case 'answer':
      return { type, yes: fields.u8() === 1, reason: fields.text('reason', MAX_REASON_BYTES) };
    case 'entry':
      return { type, entry: readEntry(fields) };
    case 'whole':
      return {
        type,
        entry: readEntry(fields),
        root: fields.bytes(HASH_BYTES),
        seal: fields.bytes(HASH_BYTES),
        payload: Buffer.alloc(0),
      };
    case 'accept':
      return { type, id: fields.u32(), keptBlocks: fields.u64('keptBlocks', MAX_BLOCKS) };
    case 'refuse':
      return { type, id: fields.u32(), ...readReason(fields) };
    case 'abandon':
      return { type, id: fields.u32(), ...readReason(fields) };
    case 'digest':
      return { type, ...readBlock(fields) };
    case 'block':
    case 'repair':
      return { type, ...readBlock(fields), payload: Buffer.alloc(0) };
    case 'hole':
      return {
        type,
        id: fields.u32(),
        index: fields.u64('index', MAX_BLOCKS),
        count: fields.u64('count', MAX_BLOCKS),
      };
    case 'end':
      return {
        type,
        id: fields.u32(),
        root: fields.bytes(HASH_BYTES),
        seal: fields.bytes(HASH_BYTES),
      };
    case 'want':
      return { type, id: fields.u32(), index: fields.u64('index', MAX_BLOCKS) };
    case 'progress':
      return { type, bytes: fields.u64('bytes', Number.MAX_SAFE_INTEGER) };
    case 'ack':
      return {
        type,
        id: fields.u32(),
        how: fields.u8() === 0 ? 'written' : 'identical',
        root: fields.bytes(HASH_BYTES),
      };
    case 'failure':
      return { type, ...readReason(fields) };
    case 'done':
    case 'bye':
    case 'ping':
      break;
  }
  return { type };
}

function readHello(fields: FieldReader): Message {
  if (!fields.bytes(MAGIC.length).equals(MAGIC)) malformed('the peer speaks another protocol');
  const minVersion = fields.u8();
  const maxVersion = fields.u8();
  const role = readRole(fields.u8());
  const hashes = readTexts(fields, 'hash name', MAX_HASH_NAMES, MAX_HASH_NAME_BYTES);
  return { type: 'hello', role, minVersion, maxVersion, hashes };
}

function readRole(number: number): Role {
  if (number === 1) return 'sender';
  return number === 2 ? 'receiver' : malformed(`role ${number} is unknown`);
}

function readTexts(fields: FieldReader, name: string, most: number, bytes: number): string[] {
  const count = bounded(`${name}s`, fields.u8(), most);
  return Array.from({ length: count }, () => fields.text(name, bytes));
}

function readReason(fields: FieldReader) {
  return { reason: reasonOf(fields.u16()), text: fields.text('reason', MAX_REASON_BYTES) };
}

function readBlock(fields: FieldReader) {
  return {
    id: fields.u32(),
    index: fields.u64('index', MAX_BLOCKS),
    hash: fields.bytes(HASH_BYTES),
  };
}

function readEntry(fields: FieldReader): Entry {
  const id = bounded('id', fields.u32(), MAX_ENTRIES);
  const kind = bounded('kind', fields.u8(), 1) === 1 ? 'directory' : 'file';
  const sparse = bounded('sparse', fields.u8(), 1) === 1;
  // Setuid, setgid and sticky have no place in the field (safety.md 17).
  const mode = bounded('mode', fields.u16(), 0o777);
  const mtimeSeconds = fields.i64('mtime');
  const mtimeNanoseconds = bounded('nanoseconds', fields.u32(), 999_999_999);
  const size = fields.u64('size', MAX_FILE_BYTES);
  const depth = bounded('depth', fields.u8(), MAX_DEPTH);
  const path = Array.from({ length: depth }, () => fields.text('name', MAX_NAME_BYTES));
  const fault = pathFault(path);
  if (fault !== undefined) malformed(`a name is refused: ${fault}`);
  if (kind === 'directory' && size !== 0) malformed(`a directory has size ${size}`);
  return { id, kind, path, size, mode, mtimeSeconds, mtimeNanoseconds, sparse };
}

function bounded(name: string, value: number, most: number): number {
  return value <= most ? value : malformed(`${name} ${value} exceeds ${most}`);
}
