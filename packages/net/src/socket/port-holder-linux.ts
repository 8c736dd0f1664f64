import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

/** A process that has a socket. */
export interface PortHolder {
  readonly pid: number;
  readonly name: string;
}

// Columns of /proc/net/{tcp,udp}{,6} and /proc/net/unix (proc(5)).
const LOCAL_COLUMN = 1;
const STATE_COLUMN = 3;
const INODE_COLUMN = 9;
const UNIX_INODE_COLUMN = 6;
const UNIX_PATH_COLUMN = 7;
// include/net/tcp_states.h: a listening TCP socket, a UDP socket that is not connected.
const HOLDING = { tcp: '0A', udp: '07' } as const;
const TIME_WAIT = '06';

/**
 * Who holds a local port, as /proc/net and /proc/PID/fd say it.
 *
 * @returns undefined where nobody does, or where the process is not ours to look into
 * Source: proc(5).
 */
export function portHolder(transport: 'tcp' | 'udp', port: number): PortHolder | undefined {
  const inodes = rowsOfPort(transport, port)
    .filter((columns) => columns[STATE_COLUMN] === HOLDING[transport])
    .flatMap((columns) => columns[INODE_COLUMN] ?? []);
  return holderOf(inodes);
}

/** Whether a TCP connection from this local port has ended, and the kernel keeps the port for a minute. */
export function isInTimeWait(port: number): boolean {
  return rowsOfPort('tcp', port).some((columns) => columns[STATE_COLUMN] === TIME_WAIT);
}

/** Who has a Unix socket of this path or abstract name. */
export function pathHolder(path: string): PortHolder | undefined {
  const shown = path.replace(/^\0/, '@');
  return holderOf(
    rowsOf('unix')
      .filter((columns) => columns[UNIX_PATH_COLUMN] === shown)
      .flatMap((columns) => columns[UNIX_INODE_COLUMN] ?? []),
  );
}

function rowsOfPort(transport: 'tcp' | 'udp', port: number): string[][] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return [transport, `${transport}6`]
    .flatMap(rowsOf)
    .filter((columns) => columns[LOCAL_COLUMN]?.endsWith(suffix));
}

function rowsOf(table: string): string[][] {
  const rows = attempt(() => readFileSync(`/proc/net/${table}`, 'latin1'), '').split('\n');
  return rows.slice(1).map((row) => row.trim().split(/\s+/));
}

function holderOf(inodes: readonly string[]): PortHolder | undefined {
  if (inodes.length === 0) return undefined;
  const wanted = new Set(inodes.map((inode) => `socket:[${inode}]`));
  const pid = attempt(() => readdirSync('/proc'), [])
    .filter((name) => /^\d+$/.test(name))
    .find((name) => holdsOneOf(name, wanted));
  return pid === undefined ? undefined : { pid: Number(pid), name: nameOf(pid) };
}

function holdsOneOf(pid: string, wanted: ReadonlySet<string>): boolean {
  return attempt(() => readdirSync(`/proc/${pid}/fd`), []).some((fd) =>
    wanted.has(attempt(() => readlinkSync(`/proc/${pid}/fd/${fd}`), '')),
  );
}

/** The process's name; a process chooses it itself, so only plain characters are shown. */
function nameOf(pid: string): string {
  const name = attempt(() => readFileSync(`/proc/${pid}/comm`, 'utf8'), '').trim();
  return name.replace(/[^\p{L}\p{N} ._:/-]/gu, '?') || 'a process';
}

/** Processes come and go, and most are somebody else's: what can't be read isn't there. */
function attempt<Result>(read: () => Result, otherwise: Result): Result {
  try {
    return read();
  } catch {
    return otherwise;
  }
}
