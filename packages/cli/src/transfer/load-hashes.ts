import { createRequire } from 'node:module';
import type { BlockHash } from '@sockeye/net/transfer';

interface Blake3 {
  update(bytes: Buffer): Blake3;
  digestBuffer(): Buffer;
}

/** BLAKE3 where its package is installed (an optional dependency); node:crypto's are there anyway. */
export function loadHashes(): readonly BlockHash[] {
  let Blake3Hasher: new () => Blake3;
  try {
    ({ Blake3Hasher } = createRequire(import.meta.url)('@napi-rs/blake-hash') as {
      Blake3Hasher: new () => Blake3;
    });
  } catch {
    return [];
  }
  return [{ name: 'blake3', digest: (bytes) => new Blake3Hasher().update(bytes).digestBuffer() }];
}
