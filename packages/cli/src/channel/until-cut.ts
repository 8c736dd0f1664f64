import { TlsTruncatedError } from '@sockeye/net';

/** What is received; undefined, as at the end, where TLS ended without close_notify. */
export async function untilCut<Received>(
  receiving: Promise<Received>,
): Promise<Received | undefined> {
  try {
    return await receiving;
  } catch (error) {
    if (error instanceof TlsTruncatedError) return undefined;
    throw error;
  }
}
