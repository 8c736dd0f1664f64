import { existsSync, mkdtempSync, statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const benchDirectory = dirname(dirname(fileURLToPath(import.meta.url)));
export const buildDirectory = join(benchDirectory, '.build');
export const peersDirectory = join(benchDirectory, 'peers');

const MEMORY_DIRECTORY = '/dev/shm';
// The file workloads keep two files of 256 MiB; four times that is room enough.
const NEEDED_BYTES = 1 << 30;

function hasRoom(directory) {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize > NEEDED_BYTES;
}

/** A new directory for the files of the file workloads: in memory where there is room. */
export function makeFilesDirectory() {
  const inMemory = existsSync(MEMORY_DIRECTORY) && hasRoom(MEMORY_DIRECTORY);
  return mkdtempSync(join(inMemory ? MEMORY_DIRECTORY : tmpdir(), 'sockeye-bench-'));
}
