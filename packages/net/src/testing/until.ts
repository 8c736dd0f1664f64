import { setImmediate } from 'node:timers/promises';

/** Waits for a condition that no event announces, one turn of the loop after the other. */
export async function until(
  condition: () => boolean,
  what: string,
  withinMs = 5_000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`);
    await setImmediate();
  }
}
