// These say what this process runs; a worker runs something else. `--test` would make it a runner.
const WITH_VALUE: ReadonlySet<string> = new Set(['-e', '--eval', '-p', '--print', '-pe']);
const DROPPED = /^(--input-type|--eval|--print|--test)(=|$)/;

/** Node's own flags for a worker: this process's, but those that say what to run. */
export function inheritedFlags(flags: readonly string[] = process.execArgv): string[] {
  return flags.filter((flag, i) => {
    if (WITH_VALUE.has(flag) || DROPPED.test(flag)) return false;
    const before = flags[i - 1];
    return before === undefined || !(WITH_VALUE.has(before) || before === '--input-type');
  });
}
