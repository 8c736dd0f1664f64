/** Version of the protocol that this library speaks (docs/transfer-protocol.md). */
export const PROTOCOL_VERSION = 1;

/** Bytes of a block, the unit that is hashed, verified and sent again. */
export const BLOCK_BYTES = 512 * 1024;

/** A frame before both sides know who the other is (safety.md 12). */
export const MAX_GREETING_BYTES = 64 * 1024;

/** A frame from then on (safety.md 12): a block and its header fit twice. */
export const MAX_FRAME_BYTES = 1024 * 1024;

/**
 * Bytes of blocks and small files that may be on their way without a PROGRESS: what a cut can cost.
 * At 20 ms it is what limits the speed, to 280 MiB/s (docs/decisions/0004).
 */
export const WINDOW_BYTES = 7 * 1024 * 1024;

/** Entries announced and not yet finished; arbitrary, enough for 25,000 files a second at 40 ms. */
export const MAX_OPEN_ENTRIES = 1024;

/** A file up to this size may be announced together with its content. Arbitrary. */
export const WHOLE_BYTES = 64 * 1024;

/**
 * Bytes of such files that may be unanswered: 400 files of 2.5 kB a round trip. The receiver may have
 * them all, and after a cut these and the window together are what is sent twice: 8 MiB.
 */
export const WHOLE_WINDOW_BYTES = 1024 * 1024;

/** Directories above a file, itself included (safety.md 14). */
export const MAX_DEPTH = 32;

/** Bytes of one name in UTF-8 (safety.md 14; NAME_MAX of every Linux file system). */
export const MAX_NAME_BYTES = 255;

/** 16 TiB, the largest file that ext4 has. */
export const MAX_FILE_BYTES = 2 ** 44;

/** Entries of one transfer; arbitrary, the ids have 32 bits. */
export const MAX_ENTRIES = 10_000_000;

/** A reason in words, in bytes of UTF-8; arbitrary. */
export const MAX_REASON_BYTES = 1024;

/** Names that an offer shows before the entries come. Arbitrary. */
export const MAX_OFFERED_NAMES = 16;

/** Bytes of a block's hash, a root and a seal. */
export const HASH_BYTES = 32;

/** Blocks of a file of this size. */
export function blockCount(size: number): number {
  return Math.ceil(size / BLOCK_BYTES);
}

/** Bytes of the block at `index` in a file of this size; the last one may be short. */
export function blockLength(size: number, index: number): number {
  return Math.min(BLOCK_BYTES, size - index * BLOCK_BYTES);
}
