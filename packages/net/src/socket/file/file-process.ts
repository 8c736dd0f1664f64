// What a file does is written once, as a generator that yields the calls it needs made on the
// socket and gets their results: bytes, 0 at the end of the stream, or null where the call would
// wait and may not. The async methods await each call, their Sync twins block on it.

/** A call on the socket that a file's process needs made. */
export type FileStep =
  | { readonly kind: 'read'; readonly buffer: Uint8Array; readonly flags: number }
  | { readonly kind: 'write'; readonly data: Uint8Array };

/** The work of one method of a file. */
export type FileProcess<Result> = Generator<FileStep, Result, number | null>;
