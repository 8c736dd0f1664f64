import type { Descriptor } from '../socket/descriptor.ts';

/** Who wants to know of a descriptor's end, whoever brings it about. */
export interface CloseListener {
  /** It is about to be closed or given away, and can still be asked. */
  before?(): void;
  /** It was closed; what was queued has been sent. */
  after?(): void;
}

/**
 * Looks on at a descriptor's end: its `close` and `detach` are watched on this object alone, so that
 * it costs the others nothing.
 *
 * @returns a function that ends the watch
 */
export function aroundClose(descriptor: Descriptor, listener: CloseListener): () => void {
  let isOn = true;
  const close = descriptor.close.bind(descriptor);
  const detach = descriptor.detach.bind(descriptor);
  const before = (): boolean => {
    const isEnd = isOn && !descriptor.closed;
    isOn &&= !isEnd;
    if (isEnd) listener.before?.();
    return isEnd;
  };
  descriptor.close = (reason) => {
    const isEnd = before();
    try {
      close(reason);
    } finally {
      if (isEnd) listener.after?.();
    }
  };
  descriptor.detach = () => {
    before();
    return detach();
  };
  return () => {
    isOn = false;
  };
}
