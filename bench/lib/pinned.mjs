import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

// The generator gets the last CPU for itself and the server the others, as if
// they were two machines: sharing one changes how many messages a wake-up finds.
const last = availableParallelism() - 1;

/** Whether processes can be pinned here: taskset(1) and two CPUs. */
export function canPin() {
  return last > 0 && spawnSync('taskset', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** The command on the CPUs of its side. */
export function pinned(command, side, pin) {
  if (!pin) return command;
  return ['taskset', '-c', side === 'load' ? `${last}` : `0-${last - 1}`, ...command];
}
