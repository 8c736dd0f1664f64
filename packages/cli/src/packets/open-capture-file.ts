import { statSync } from 'node:fs';
import { CaptureFile, type CaptureFileOptions } from '@sockeye/net/capture';
import { reasonOf } from '../explain-error.ts';
import { CommandError, usageError } from '../command-error.ts';

/** Opens what `--write` names, `-` for stdout. */
export async function openCaptureFile(
  path: string,
  options: CaptureFileOptions = {},
): Promise<CaptureFile> {
  try {
    return await CaptureFile.create(path === '-' ? 1 : path, options);
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${reasonOf(error)}`, undefined, {
      cause: error,
    });
  }
}

/** Refuses to write to the file that is read: opening would empty it. */
export function checkOtherFile(read: string, write: string): void {
  const [one, other] = [identity(read), identity(write)];
  if (one !== undefined && one === other) {
    throw usageError(`cannot write ${write}: it is the file that is read`);
  }
}

function identity(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false, bigint: true });
  return stat?.isFile() === true ? `${stat.dev}:${stat.ino}` : undefined;
}
