import { makeView } from './make-view.ts';

const EMPTY = Buffer.alloc(0);

// What was viewed last: the messages of a chunk follow each other, and asking for its memory is dear.
let viewed: Buffer | undefined;
let memory: ArrayBufferLike = EMPTY.buffer;
let start = 0;

/**
 * bytes[from, to) as a message: a view, or a copy where one is asked for and needed.
 * All empty messages are one object: a chunk of nothing but empty frames costs 8 bytes each
 * instead of a view's 106. Who is through with `bytes` calls `forgetViewed`.
 */
export function frameBody(bytes: Buffer, from: number, to: number, copy: boolean): Buffer {
  if (from === to) return EMPTY;
  if (bytes !== viewed) {
    viewed = bytes;
    memory = bytes.buffer;
    start = bytes.byteOffset;
  }
  const view = makeView(memory, start + from, to - from);
  return copy ? Buffer.from(view) : view;
}

/** Lets go of the bytes that were viewed last. */
export function forgetViewed(): void {
  if (viewed === undefined) return;
  viewed = undefined;
  memory = EMPTY.buffer;
}
