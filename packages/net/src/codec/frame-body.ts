const EMPTY = Buffer.alloc(0);

/**
 * bytes[from, to) as a message: a view, or a copy where one is asked for and needed.
 * All empty messages are one object: a chunk of nothing but empty frames costs 8 bytes each
 * instead of a view's 106.
 */
export function frameBody(bytes: Buffer, from: number, to: number, copy: boolean): Buffer {
  if (from === to) return EMPTY;
  const view = bytes.subarray(from, to);
  return copy ? Buffer.from(view) : view;
}
