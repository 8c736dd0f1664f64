/** The reason that a promise rejects with; fails when it is fulfilled. */
export async function rejection<Reason = Error & { code?: string }>(
  promise: PromiseLike<unknown>,
): Promise<Reason> {
  let value: unknown;
  try {
    value = await promise;
  } catch (reason) {
    return reason as Reason;
  }
  throw new Error(`expected a rejection, but the promise gave ${String(value)}`);
}
