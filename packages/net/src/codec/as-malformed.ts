import { FrameMalformedError, ProtocolError } from './protocol-error.ts';

/** Runs a format's own function; what it throws about the peer's bytes becomes a ProtocolError. */
export function asMalformed<Result>(state: string, run: () => Result): Result {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    throw new FrameMalformedError('decode', state, { cause: error });
  }
}
