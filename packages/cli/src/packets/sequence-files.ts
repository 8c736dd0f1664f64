import { open } from 'node:fs/promises';
import { extname } from 'node:path';
import { sequenceSvg, type TcpConversation } from '@sockeye/net/dissect';
import { reasonOf } from '../explain-error.ts';
import { CommandError } from '../command-error.ts';

const FILE_MODE = 0o600;

/** Draws each TCP connection: one goes to the file itself, several to `name-1.svg`, `name-2.svg`, … */
export async function writeSequenceFiles(
  path: string,
  conversations: readonly TcpConversation[],
): Promise<string[]> {
  const stem = path.slice(0, path.length - extname(path).length);
  const paths = conversations.map((_, index) =>
    conversations.length === 1 ? path : `${stem}-${index + 1}${extname(path)}`,
  );
  for (const [index, conversation] of conversations.entries()) {
    await writePrivately(paths[index]!, sequenceSvg(conversation));
  }
  return paths;
}

async function writePrivately(path: string, text: string): Promise<void> {
  try {
    const file = await open(path, 'w', FILE_MODE);
    try {
      if ((await file.stat()).isFile()) await file.chmod(FILE_MODE);
      await file.writeFile(text);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw new CommandError(`cannot write ${path}: ${reasonOf(error)}`, undefined, {
      cause: error,
    });
  }
}
