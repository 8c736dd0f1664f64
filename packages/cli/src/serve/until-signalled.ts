import { EXIT } from '../exit-code.ts';
import type { Serving } from './open-serving.ts';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;

/**
 * Serves until SIGINT or SIGTERM, then drains; a second signal ends it at once. It drains as well
 * when the reader of its events (`--json`) has gone, as a pipe's writer ends.
 *
 * @returns the exit status
 */
export async function untilSignalled(serving: Serving, onListening?: () => void): Promise<number> {
  let drained: Promise<void> | undefined;
  let status: number = EXIT.ok;
  const onBrokenPipe = (): void => {
    status = EXIT.brokenPipe;
    drained ??= serving.drain();
  };
  const onSignal = (): void => {
    if (drained === undefined) drained = serving.drain();
    else serving.close();
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.stdout.on('error', onBrokenPipe);
  try {
    await serving.run(onListening);
    await drained;
    return status;
  } finally {
    process.stdout.off('error', onBrokenPipe);
    for (const signal of SIGNALS) process.off(signal, onSignal);
    serving.close();
  }
}
