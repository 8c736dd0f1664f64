import { FileError } from './file-error.ts';

/** What fstat(2) tells of something to send. */
export interface SourceStat {
  readonly ino: bigint;
  readonly mode: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  /** Of 512 bytes. */
  readonly blocks: bigint;
}

/** A name in a directory. */
export interface ListedName {
  /** Undefined for one that is not UTF-8. */
  readonly name: string | undefined;
  readonly stat: SourceStat | FileError;
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** The records of the native listDirectory, sorted by name; those without one come last. */
export function parseListing(records: Uint8Array): ListedName[] {
  const bytes = Buffer.from(records.buffer, records.byteOffset, records.byteLength);
  const names: ListedName[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt16LE(at);
    const name = decoded(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
    const failure = bytes.readInt32LE(at);
    const stat = {
      mode: BigInt(bytes.readUInt32LE(at + 4)),
      ino: bytes.readBigUInt64LE(at + 8),
      size: bytes.readBigInt64LE(at + 16),
      mtimeNs: bytes.readBigInt64LE(at + 24),
      blocks: bytes.readBigInt64LE(at + 32),
    };
    at += 40;
    const error = failure < 0 ? new FileError('fstatat', -failure, name ?? '\ufffd') : undefined;
    names.push({ name, stat: error ?? stat });
  }
  return names.toSorted(byName);
}

function byName(a: ListedName, b: ListedName): number {
  if (a.name === b.name) return 0;
  if (a.name === undefined) return 1;
  if (b.name === undefined) return -1;
  return a.name < b.name ? -1 : 1;
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
