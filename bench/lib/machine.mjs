import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import { benchDirectory } from './paths.mjs';

function setting(name) {
  try {
    return readFileSync(`/proc/sys/${name}`, 'utf8').trim();
  } catch {
    return undefined;
  }
}

/** What a figure depends on besides the programs. */
export function describeMachine() {
  return {
    cpu: os.cpus()[0]?.model.trim(),
    cpus: os.availableParallelism(),
    memoryBytes: os.totalmem(),
    kernel: `${os.type()} ${os.release()}`,
    architecture: os.arch(),
    congestionControl: setting('net/ipv4/tcp_congestion_control'),
    rmemMax: setting('net/core/rmem_max'),
  };
}

/** The commit that last changed what is measured, with a `+` where files differ from it. */
export function describeSource() {
  const git = (...args) =>
    execFileSync('git', [...args, '--', '../packages', 'peers', 'load'], {
      cwd: benchDirectory,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  try {
    const changed = git('status', '--porcelain') === '' ? '' : '+';
    return `${git('log', '-1', '--format=%h')}${changed}`;
  } catch {
    return undefined;
  }
}
