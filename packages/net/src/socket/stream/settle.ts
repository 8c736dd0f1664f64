/** Calls `done` as a stream wants it, once `work` has succeeded or failed. */
export async function settle(
  work: Promise<unknown>,
  done: (error?: Error | null) => void,
): Promise<void> {
  try {
    await work;
  } catch (error) {
    done(error as Error);
    return;
  }
  done();
}
