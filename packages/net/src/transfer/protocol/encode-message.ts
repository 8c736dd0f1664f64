import { crc32 } from 'node:zlib';
import { FieldWriter } from './field-writer.ts';
import { type Entry, type Message, TYPE_NUMBERS } from './message.ts';
import { REASONS } from './reason.ts';
import { MAX_REASON_BYTES } from './limits.ts';

/** Eight bytes that no other protocol starts with, the last of which never changes. */
export const MAGIC = Buffer.from('SOCKEYE\x01', 'latin1');

/** Bytes before a block's payload in the frame's body: type, id, index, hash, checksum. */
export const BLOCK_HEADER_BYTES = 1 + 4 + 8 + 32 + 4;

// Arbitrary: most messages fit, the writer grows for others.
const USUAL_BYTES = 192;

/** What a seal is the hash of: the fields of an entry, and its root. */
export function encodeSealed(entry: Entry, root: Buffer): Buffer {
  return entryFields(new FieldWriter(USUAL_BYTES), entry).bytes(root).written;
}

function entryFields(fields: FieldWriter, entry: Entry): FieldWriter {
  fields
    .u32(entry.id)
    .u8(entry.kind === 'directory' ? 1 : 0)
    .u8(entry.sparse ? 1 : 0)
    .u16(entry.mode)
    .i64(entry.mtimeSeconds)
    .u32(entry.mtimeNanoseconds)
    .u64(entry.size)
    .u8(entry.path.length);
  for (const name of entry.path) fields.text(name);
  return fields;
}

function texts(fields: FieldWriter, list: readonly string[]): void {
  fields.u8(list.length);
  for (const text of list) fields.text(text);
}

/** A reason as long as the peer takes it; a character is never cut. */
function cut(text: string): string {
  if (Buffer.byteLength(text) <= MAX_REASON_BYTES) return text;
  const whole = Buffer.from(text).subarray(0, MAX_REASON_BYTES - 3);
  return new TextDecoder().decode(whole, { stream: true });
}

function writeFields(fields: FieldWriter, message: Message): void {
  switch (message.type) {
    case 'hello':
      fields.bytes(MAGIC).u8(message.minVersion).u8(message.maxVersion);
      texts(fields.u8(message.role === 'sender' ? 1 : 2), message.hashes);
      break;
    case 'offer':
      texts(fields.u32(message.entries).u64(message.bytes), message.names);
      break;
    case 'answer':
      fields.u8(message.yes ? 1 : 0).text(cut(message.reason));
      break;
    case 'entry':
      entryFields(fields, message.entry);
      break;
    case 'whole':
      entryFields(fields, message.entry).bytes(message.root).bytes(message.seal);
      break;
    case 'accept':
      fields.u32(message.id).u64(message.keptBlocks);
      break;
    case 'refuse':
    case 'abandon':
      fields.u32(message.id).u16(REASONS[message.reason]).text(cut(message.text));
      break;
    case 'digest':
    case 'block':
    case 'repair':
      fields.u32(message.id).u64(message.index).bytes(message.hash);
      break;
    case 'hole':
      fields.u32(message.id).u64(message.index).u64(message.count);
      break;
    case 'end':
      fields.u32(message.id).bytes(message.root).bytes(message.seal);
      break;
    case 'want':
      fields.u32(message.id).u64(message.index);
      break;
    case 'progress':
      fields.u64(message.bytes);
      break;
    case 'ack':
      fields
        .u32(message.id)
        .u8(message.how === 'written' ? 0 : 1)
        .bytes(message.root);
      break;
    case 'failure':
      fields.u16(REASONS[message.reason]).text(cut(message.text));
      break;
    case 'done':
    case 'bye':
    case 'ping':
      break;
  }
}

/**
 * The frame of a message: prefix, type, fields, checksum. A block's payload belongs behind it and
 * is counted in the prefix, not copied.
 */
export function encodeMessage(message: Message): Buffer {
  const fields = new FieldWriter(USUAL_BYTES).u32(0).u8(TYPE_NUMBERS[message.type]);
  writeFields(fields, message);
  const payloadBytes = 'payload' in message ? message.payload.length : 0;
  const { written } = fields;
  written.writeUInt32BE(written.length + payloadBytes);
  return fields.u32(crc32(written)).written;
}
