// systemd's socket activation and notifications: sd_listen_fds(3), sd_notify(3).

import { AF_UNIX, SOCK_DGRAM } from '../constants/index.ts';
import { SocketError } from '../errors/index.ts';
import { Socket } from '../socket/index.ts';

// SD_LISTEN_FDS_START of sd-daemon.h.
const FIRST_FD = 3;

/** A socket that systemd opened for this process. */
export interface ActivatedSocket {
  /** FileDescriptorName= of the unit; 'unknown' without one. */
  readonly name: string;
  readonly socket: Socket<number>;
}

/**
 * The listening sockets that systemd passed to this process; none when it was started otherwise.
 * The variables are removed, so that a child doesn't take them for its own.
 *
 * Source: sd_listen_fds(3).
 */
export function activatedSockets(env: NodeJS.ProcessEnv = process.env): ActivatedSocket[] {
  const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
  if (LISTEN_PID === undefined || Number(LISTEN_PID) !== process.pid) return [];
  const count = Number(LISTEN_FDS ?? 0);
  if (!Number.isInteger(count) || count < 0) return [];
  const names = LISTEN_FDNAMES?.split(':') ?? [];
  for (const key of ['LISTEN_PID', 'LISTEN_FDS', 'LISTEN_FDNAMES']) delete env[key];
  return Array.from({ length: count }, (_, i) => {
    const socket = new Socket<number>(undefined, undefined, undefined, { fd: FIRST_FD + i });
    socket.setinheritable(false);
    return { name: names[i] ?? 'unknown', socket };
  });
}

/**
 * Tells the service manager about this process: `{ READY: '1' }`, `{ STOPPING: '1' }`,
 * `{ STATUS: 'text' }`, `{ WATCHDOG: '1' }`.
 *
 * @returns false when nobody wants to know (no NOTIFY_SOCKET)
 * @throws SocketError when the manager's socket can't be reached
 * Source: sd_notify(3).
 */
export function notifySystemd(
  state: Readonly<Record<string, string>>,
  env: NodeJS.ProcessEnv = process.env,
): boolean {
  const { NOTIFY_SOCKET } = env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return false;
  const path = NOTIFY_SOCKET.replace(/^@/, '\0');
  const text = Object.entries(state)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
  using socket = new Socket(AF_UNIX, SOCK_DGRAM);
  const sent = socket.sendtoSync(Buffer.from(text), { path });
  if (sent !== Buffer.byteLength(text)) throw new SocketError('sendto', 0, { reason: 'cut short' });
  return true;
}
