import { readSync } from 'node:fs';

// Arbitrary.
const READ_BYTES = 256 * 1024;

/**
 * What a file on stdin has from where it stands, in one buffer that the next piece overwrites.
 *
 * Reads hold up the event loop while the disk is busy. By the thread pool (`createReadStream`) each
 * costs two changes of threads and a fresh buffer.
 */
export async function* fileInput(fd: number): AsyncGenerator<Buffer> {
  const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
  for (;;) {
    const bytes = readSync(fd, buffer);
    if (bytes === 0) return;
    yield buffer.subarray(0, bytes);
  }
}
