import type { Descriptor } from './descriptor.ts';

/** Where a socket was made, for the warning when it is dropped unclosed. */
export class CreationSite {
  readonly #frames: string;

  /** @param above frames of this function and what it calls are left out */
  constructor(above: abstract new (...args: never[]) => unknown) {
    const trace: { stack?: string } = {};
    // Two frames name the caller; each more costs half a microsecond a socket.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 2;
    // Its type knows functions only, but a class is one.
    Error.captureStackTrace(trace, above);
    Error.stackTraceLimit = stackTraceLimit;
    // Formatted at once (4 µs): until then V8 holds the callers' `this` in the trace, which often
    // holds the socket, and no such socket was ever collected.
    this.#frames = String(trace.stack)
      .replace(/^.*\n\s*/, '')
      .replace(/\n\s*/g, ' ');
  }

  toString(): string {
    return this.#frames;
  }
}

const registry = new FinalizationRegistry<Descriptor>((descriptor) => {
  if (descriptor.closed) return;
  const { fd, site } = descriptor;
  try {
    descriptor.close();
  } catch {
    // Closed elsewhere meanwhile. There is nobody to tell but the warning.
  }
  process.emitWarning(`socket ${fd} was dropped without close(); it was made ${String(site)}`, {
    type: 'ResourceWarning',
    code: 'SOCKEYE_UNCLOSED',
  });
});

/** Closes the descriptor when the socket is collected, with a warning if nobody did before. */
export function warnWhenDropped(socket: object, descriptor: Descriptor): void {
  registry.register(socket, descriptor, descriptor);
}

/** The socket was closed in good order. */
export function forgetDropped(descriptor: Descriptor): void {
  registry.unregister(descriptor);
}
