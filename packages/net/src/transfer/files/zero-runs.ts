// The unit in which a file system can leave a hole.
const PAGE = 4096;
const zeros = Buffer.alloc(PAGE);

/** The pieces of a block that aren't whole pages of zeros: [from, to) each. */
export function dataRuns(bytes: Uint8Array): [from: number, to: number][] {
  const runs: [number, number][] = [];
  for (let at = 0; at < bytes.length; at += PAGE) {
    const end = Math.min(at + PAGE, bytes.length);
    if (zeros.compare(bytes, at, end, 0, end - at) === 0) continue;
    const last = runs.at(-1);
    if (last !== undefined && last[1] === at) last[1] = end;
    else runs.push([at, end]);
  }
  return runs;
}
