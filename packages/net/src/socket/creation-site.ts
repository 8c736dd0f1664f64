import type { Descriptor } from './descriptor.ts';

/** Where a socket was made, for the warning when it is dropped unclosed. Formatted only then. */
export class CreationSite {
  #trace: { stack?: string } = {};

  /** @param above frames of this function and what it calls are left out */
  constructor(above: abstract new (...args: never[]) => unknown) {
    // Two frames name the caller; each more costs half a microsecond a socket.
    const { stackTraceLimit } = Error;
    Error.stackTraceLimit = 2;
    // Its type knows functions only, but a class is one.
    Error.captureStackTrace(this.#trace, above as unknown as () => unknown);
    Error.stackTraceLimit = stackTraceLimit;
  }

  toString(): string {
    const frames = (this.#trace.stack ?? '').split('\n').slice(1);
    return frames.map((frame) => frame.trim()).join(' ');
  }
}

interface Held {
  readonly descriptor: Descriptor;
  readonly site: CreationSite;
}

const registry = new FinalizationRegistry<Held>(({ descriptor, site }) => {
  if (descriptor.closed) return;
  const { fd } = descriptor;
  descriptor.close();
  process.emitWarning(`socket ${fd} was dropped without close(); it was made ${site}`, {
    type: 'ResourceWarning',
    code: 'SOCKEYE_UNCLOSED',
  });
});

/** Closes the descriptor when the socket is collected, with a warning if nobody did before. */
export function warnWhenDropped(socket: object, descriptor: Descriptor, site: CreationSite): void {
  registry.register(socket, { descriptor, site }, descriptor);
}

/** The socket was closed in good order. */
export function forgetDropped(descriptor: Descriptor): void {
  registry.unregister(descriptor);
}
