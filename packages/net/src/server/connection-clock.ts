import { DeadlineClock } from '../socket/deadline-clock.ts';
import type { PlainConnection } from './plain-connection.ts';
import type { ServerLimits } from './server-options.ts';

/** A clock for connections with these limits, whose deadlines it watches. */
export function connectionClock(limits: ServerLimits): DeadlineClock<PlainConnection> {
  const { firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs } = limits;
  return new DeadlineClock([firstByteTimeoutMs, idleTimeoutMs, writeTimeoutMs]);
}
