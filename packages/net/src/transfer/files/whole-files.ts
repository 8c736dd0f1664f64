import { PlanWriter } from './plan-writer.ts';
import type { SourceEntry } from './source-entry.ts';
import { WHOLE_BYTES } from '../protocol/limits.ts';

// Read in one go: enough that the way to the pool and back doesn't count. Arbitrary.
export const GROUP_FILES = 64;
const GROUP_BYTES = 512 * 1024;

/** Whether a source can go out in one message. */
export function isSmall({ entry }: SourceEntry): boolean {
  // Of a sparse one the holes are asked for, block by block.
  return entry.kind === 'file' && entry.size <= WHOLE_BYTES && !entry.sparse;
}

/** The small files of one directory that come next, some of them. */
export function smallFilesFrom(entries: readonly SourceEntry[], at: number): SourceEntry[] {
  const group: SourceEntry[] = [];
  let bytes = 0;
  for (let i = at; i < entries.length && group.length < GROUP_FILES; i++) {
    const source = entries[i] as SourceEntry;
    bytes += source.entry.size;
    const isBeside = group[0] === undefined || directoryOf(group[0]) === directoryOf(source);
    if (!isSmall(source) || !isBeside || source.root !== (group[0] ?? source).root) break;
    if (bytes > GROUP_BYTES && group.length > 0) break;
    group.push(source);
  }
  return group;
}

function directoryOf({ below }: SourceEntry): string {
  return below.slice(0, -1).join('/');
}

// A plan is copied when its call begins.
const plan = new PlanWriter();

/**
 * Reads files of one directory in one go. Undefined for one that can't be read or isn't what it was
 * when it was listed: the ordinary way finds out and says why.
 */
export async function readWholeFiles(
  group: readonly SourceEntry[],
): Promise<(Buffer | undefined)[]> {
  const [first] = group;
  if (first === undefined) return [];
  for (const { identity, below } of group) {
    plan
      .number(identity.size, 4)
      .number(identity.inode, 8)
      .number(identity.mtimeNs, 8)
      .name(below.at(-1) as string);
  }
  const read = await first.root.readFiles(first.below.slice(0, -1), plan.plan());
  if (read === undefined) return group.map(() => undefined);
  let at = 4 * group.length;
  return group.map(({ entry }, i) => {
    const content = read.subarray(at, at + entry.size);
    at += entry.size;
    return read.readInt32LE(4 * i) === 0 ? content : undefined;
  });
}
