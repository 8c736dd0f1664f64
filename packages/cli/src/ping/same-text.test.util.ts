/** What two runs of ping have in common: everything but times. */
export function withoutTimes(output: string): string {
  return (
    output
      .replace(/time=[\d.]+ ms/g, 'time=T ms')
      .replace(/time \d+ms/g, 'time T')
      .replace(/= [\d./]+ ms/g, '= T ms')
      // How many were under way at once, which depends on times, too.
      .replace(/(?:, )?pipe \d+/g, '')
      .trimEnd()
  );
}
