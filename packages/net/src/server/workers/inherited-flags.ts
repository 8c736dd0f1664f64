// A worker thread refuses flags of V8 and of the whole process (ERR_WORKER_INVALID_EXEC_ARGV); the
// process has them anyway. What it needs is what decides how modules are loaded.
const LOADING = [
  '--import',
  '--require',
  '-r',
  '--loader',
  '--experimental-loader',
  '--conditions',
  '-C',
];
const SWITCHES = /^--(enable-source-maps|no-warnings|preserve-symlinks|experimental-strip-types)$/;

/** Node's flags for a worker: of this process's those that say how modules are loaded. */
export function inheritedFlags(flags: readonly string[] = process.execArgv): string[] {
  return flags.flatMap((flag, i) => {
    if (SWITCHES.test(flag)) return [flag];
    const name = LOADING.find((each) => flag === each || flag.startsWith(`${each}=`));
    if (name === undefined) return [];
    const value = flags[i + 1];
    return flag === name && value !== undefined ? [flag, value] : [flag];
  });
}
