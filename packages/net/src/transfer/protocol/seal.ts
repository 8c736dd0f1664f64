import type { BlockHash } from './block-hash.ts';
import { encodeSealed } from './encode-message.ts';
import type { Entry } from './message.ts';

/** Binds a file's name, size, mode and time to its root, so that none of them changes on the way. */
export function sealOf(hash: BlockHash, entry: Entry, root: Buffer): Buffer {
  return hash.digest(encodeSealed(entry, root));
}
