import type { FileProcess } from './file-process.ts';

/**
 * What reads bytes or text from a file. A size of -1 is no limit. Every result may be null where
 * nothing is there and the socket doesn't wait; what came before a failure stays for the next call.
 */
export interface FileReader<Data extends Buffer | string> {
  read(size: number): FileProcess<Data | null>;
  readline(size: number): FileProcess<Data | null>;
  readExactly(size: number): FileProcess<Data | null>;
  readUntil(delimiter: Uint8Array | string, maxLength: number): FileProcess<Data | null>;
}
