import { u32 } from './native-words.ts';
import { struct, type StructValue } from './struct-codec.ts';

const fields = {
  rmemAllocBytes: u32,
  rcvbufBytes: u32,
  wmemAllocBytes: u32,
  sndbufBytes: u32,
  fwdAllocBytes: u32,
  wmemQueuedBytes: u32,
  optmemBytes: u32,
  backlogBytes: u32,
  drops: u32,
} as const;

/**
 * What memory a socket has and may have, the kernel's own overhead included; SO_MEMINFO and sock_diag
 * have it in the same form. Source: linux/sock_diag.h, SK_MEMINFO_….
 */
export type MemoryInfo = StructValue<typeof fields>;

export const memoryInfo = struct(fields);
