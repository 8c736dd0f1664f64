import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ProtocolError } from '../../codec/index.ts';
import { decodeMessage } from './decode-message.ts';
import { encodeMessage } from './encode-message.ts';
import type { Message } from './message.ts';

const digest = randomBytes(32);
/** One message of each type. */
export const samples: readonly Message[] = [
  { type: 'hello', role: 'sender', minVersion: 1, maxVersion: 3, hashes: ['blake3', 'sha256'] },
  { type: 'offer', entries: 10, bytes: 2 ** 40 + 7, names: ['a', '名字'] },
  { type: 'answer', yes: false, reason: 'not now' },
  {
    type: 'entry',
    entry: {
      id: 3,
      kind: 'file',
      path: ['directory', '文件'],
      size: 2 ** 43 + 1,
      mode: 0o751,
      mtimeSeconds: -5,
      mtimeNanoseconds: 999_999_999,
      sparse: true,
    },
  },
  { type: 'accept', id: 4, keptBlocks: 2 ** 20 },
  { type: 'refuse', id: 5, reason: 'exists', text: 'there' },
  { type: 'abandon', id: 5, reason: 'source-changed', text: 'changed' },
  { type: 'digest', id: 6, index: 9, hash: digest },
  { type: 'block', id: 7, index: 10, hash: digest, payload: randomBytes(100) },
  { type: 'repair', id: 7, index: 10, hash: digest, payload: Buffer.alloc(0) },
  { type: 'hole', id: 8, index: 1, count: 2 ** 24 },
  { type: 'end', id: 9, root: digest, seal: digest },
  { type: 'want', id: 10, index: 77 },
  { type: 'progress', bytes: 2 ** 50 },
  { type: 'ack', id: 11, how: 'identical', root: digest },
  {
    type: 'whole',
    entry: {
      id: 12,
      kind: 'file',
      path: ['small', '小'],
      size: 33,
      mode: 0o644,
      mtimeSeconds: 1_700_000_000,
      mtimeNanoseconds: 1,
      sparse: false,
    },
    root: digest,
    seal: digest,
    payload: randomBytes(33),
  },
  { type: 'done' },
  { type: 'bye' },
  { type: 'ping' },
  { type: 'failure', reason: 'version', text: 'too old' },
];

/** A message's whole frame. */
export function frame(message: Message): Buffer {
  const payload = 'payload' in message ? message.payload : Buffer.alloc(0);
  return Buffer.concat([encodeMessage(message), payload]);
}

/** What came of mutated messages. */
export interface MutationCounts {
  readonly accepted: number;
  readonly refused: number;
}

/**
 * Decodes messages of which some bytes were changed, half of them with a checksum that is right
 * again, so that the fields behind it are reached.
 *
 * @throws what decodeMessage throws and isn't a ProtocolError
 */
export function mutateMessages(options: {
  readonly executions: number;
  readonly seed: number;
}): MutationCounts {
  const frames = samples.map((message) => ({
    body: frame(message).subarray(4),
    sumAt: encodeMessage(message).length - 8,
  }));
  let state = options.seed >>> 0;
  // xorshift32 (Marsaglia 2003), so that a run can be repeated.
  const next = (below: number): number => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % below;
  };
  const counts = { accepted: 0, refused: 0 };
  for (let i = 0; i < options.executions; i++) {
    const { body, sumAt } = frames[i % frames.length] as (typeof frames)[number];
    const mutated = Buffer.from(body);
    for (let n = next(4); n >= 0; n--) mutated[next(mutated.length)] = next(256);
    if (i % 2 === 0) writeSum(mutated, sumAt);
    try {
      decodeMessage(mutated);
      counts.accepted++;
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      counts.refused++;
    }
  }
  return counts;
}

function writeSum(body: Buffer, sumAt: number): void {
  const prefix = Buffer.alloc(4);
  prefix.writeUInt32BE(body.length);
  body.writeUInt32BE(crc32(body.subarray(0, sumAt), crc32(prefix)), sumAt);
}
