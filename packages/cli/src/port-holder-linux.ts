import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { escapeText } from './text/escape-text.ts';

/** A process that has a port. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

// include/net/tcp_states.h: a listening TCP socket, a UDP socket that is not connected.
const LISTENING = { tcp: '0A', udp: '07' } as const;

/**
 * Who listens on a local port, as /proc/net/tcp and /proc/PID/fd say it.
 *
 * @returns undefined where nobody does, or where the process is not ours to look into
 * Source: proc(5).
 */
export function portHolder(transport: 'tcp' | 'udp', port: number): PortHolder | undefined {
  const inodes = [transport, `${transport}6`].flatMap((table) => inodesOf(table, transport, port));
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  return attempt(() => readdirSync('/proc'), [])
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => holdsOneOf(pid, wanted))
    .map((pid) => ({ pid: Number(pid), name: nameOf(pid) }))[0];
}

function inodesOf(table: string, transport: 'tcp' | 'udp', port: number): string[] {
  const rows = attempt(() => readFileSync(`/proc/net/${table}`, 'latin1'), '')
    .split('\n')
    .slice(1);
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return rows
    .map((row) => row.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(suffix) && columns[3] === LISTENING[transport])
    .flatMap((columns) => columns[9] ?? []);
}

function holdsOneOf(pid: string, wanted: ReadonlySet<string>): boolean {
  const descriptors = attempt(() => readdirSync(`/proc/${pid}/fd`), []);
  return descriptors.some((fd) =>
    wanted.has(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')),
  );
}

function nameOf(pid: string): string {
  const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8'), '').trim();
  return escapeText(name, { keep: '' }) || 'a process';
}

/** Processes come and go, and most are somebody else's: what can't be read isn't there. */
function attempt<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
