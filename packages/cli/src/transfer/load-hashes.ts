import { createRequire } from 'node:module';
import type { BlockHash } from '@sockeye/net/transfer';

/** BLAKE3 where its package is installed (an optional dependency); node:crypto's are there anyway. */
export function loadHashes(): readonly BlockHash[] {
  try {
    // One call without an object of its own: half the time for small files.
    const { blake3 } = createRequire(import.meta.url)('@napi-rs/blake-hash') as {
      blake3: (bytes: Buffer) => Buffer;
    };
    return [{ name: 'blake3', digest: (bytes) => blake3(bytes) }];
  } catch {
    return [];
  }
}
