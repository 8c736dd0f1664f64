export type { BinaryFileMode, TextFileMode } from './file-mode.ts';
export { IncompleteReadError } from './incomplete-read-error.ts';
export type { Newline } from './newline.ts';
export {
  type FileWaitOptions,
  type ReadUntilOptions,
  SocketFile,
  type SocketFileOptions,
} from './socket-file.ts';
export type { TextErrors } from './text-errors.ts';
