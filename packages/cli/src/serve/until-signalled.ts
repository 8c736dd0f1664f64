import type { Serving } from './open-serving.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/** Serves until SIGINT or SIGTERM, then drains; a second signal ends it at once. */
export async function untilSignalled(serving: Serving, onListening?: () => void): Promise<void> {
  let drained: Promise<void> | undefined;
  const onSignal = (): void => {
    if (drained === undefined) drained = serving.drain();
    else serving.close();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  try {
    await serving.run(onListening);
    await drained;
  } finally {
    for (const signal of SIGNALS) process.off(signal, onSignal);
    serving.close();
  }
}
