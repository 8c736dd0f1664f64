import { setImmediate } from 'node:timers/promises';

/** Lets the event loop make `count` whole turns, each with a look at the poller. */
export async function turns(count = 1): Promise<void> {
  for (let i = 0; i < count; i++) await setImmediate();
}
