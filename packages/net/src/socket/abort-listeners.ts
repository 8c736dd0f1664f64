/** What waits for one signal, and the signal's one listener for all of it. */
class AbortListeners {
  readonly #callbacks = new Set<() => void>();
  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
  }

  add(callback: () => void): void {
    if (this.#callbacks.size === 0) this.#signal.addEventListener('abort', this);
    this.#callbacks.add(callback);
  }

  delete(callback: () => void): void {
    this.#callbacks.delete(callback);
    if (this.#callbacks.size === 0) this.#signal.removeEventListener('abort', this);
  }

  handleEvent(): void {
    for (const callback of this.#callbacks) callback();
  }
}

const listeners = new WeakMap<AbortSignal, AbortListeners>();

/**
 * Those who wait for the signal. However many they are, the signal has one listener: Node 20 warns
 * of a leak at the eleventh, and a server's connections share one signal.
 */
export function abortListeners(signal: AbortSignal): AbortListeners {
  let found = listeners.get(signal);
  if (found === undefined) {
    found = new AbortListeners(signal);
    listeners.set(signal, found);
  }
  return found;
}
