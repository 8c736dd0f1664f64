import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { type CaptureItem, CaptureReader } from '../dissect/index.ts';

// One read(2); arbitrary: large enough that a system call a chunk costs nothing beside the packets.
const CHUNK_BYTES = 256 * 1024;

/** Where a capture is read from. */
export interface ReadCaptureOptions {
  /** Ends the reading; default never. */
  readonly signal?: AbortSignal;
}

/**
 * Reads a pcap or pcapng file piece by piece: each step yields the items that are complete, so that
 * a file of any size takes the memory of one piece.
 *
 * Items hold views of a piece, which is theirs alone: they may be kept. After a failure what was
 * yielded before it stands.
 *
 * @param path of the file, or a descriptor that stays the caller's, such as 0 for stdin
 * @throws CaptureFileError where the file contradicts its format or ends inside a record
 * @throws Error with `code` ENOENT, EACCES, EISDIR, … from open(2) and read(2)
 *
 * @example
 * ```ts
 * const items = readCapture('/nowhere/at.all');
 * await assert.rejects(items.next(), { code: 'ENOENT' });
 * ```
 */
export async function* readCapture(
  path: string | number,
  options: ReadCaptureOptions = {},
): AsyncGenerator<Iterable<CaptureItem>, void, undefined> {
  const reader = new CaptureReader();
  for await (const chunk of chunks(path, options.signal)) yield reader.push(chunk);
  if (options.signal?.aborted !== true) reader.end();
}

async function* chunks(
  path: string | number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  if (typeof path === 'number') {
    yield* streamed(path, signal);
    return;
  }
  const file = await open(path, 'r');
  try {
    for (;;) {
      if (signal?.aborted === true) return;
      const buffer = Buffer.allocUnsafeSlow(CHUNK_BYTES);
      const { bytesRead } = await file.read(buffer, 0, CHUNK_BYTES, null);
      if (bytesRead === 0) return;
      yield buffer.subarray(0, bytesRead);
    }
  } finally {
    await file.close();
  }
}

async function* streamed(
  fd: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const stream = createReadStream('', { fd, autoClose: false, highWaterMark: CHUNK_BYTES });
  const onAbort = (): void => void stream.destroy();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    if (signal?.aborted !== true) throw error;
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}
