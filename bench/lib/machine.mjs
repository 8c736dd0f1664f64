import { readFileSync } from 'node:fs';
import os from 'node:os';

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
    loadAverage: os.loadavg(),
  };
}
