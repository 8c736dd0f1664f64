/** The exit status that a signal stands for. */
export const SIGNALS = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * Runs work that a first SIGINT or SIGTERM ends in good order and a second one at once.
 *
 * @param onSignal the first; gets the exit status that the signal stands for
 */
export async function untilInterrupted<Result>(
  work: () => Promise<Result>,
  onSignal: (status: number) => void,
): Promise<Result> {
  let isSecond = false;
  const handlers = Object.entries(SIGNALS).map(([signal, status]) => {
    const handler = (): void => {
      if (isSecond) process.exit(status);
      isSecond = true;
      onSignal(status);
    };
    process.on(signal, handler);
    return [signal, handler] as const;
  });
  try {
    return await work();
  } finally {
    for (const [signal, handler] of handlers) process.off(signal, handler);
  }
}
