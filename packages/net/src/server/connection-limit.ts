import { invalidType, outOfRange } from '../errors/index.ts';

/**
 * How many connections may be open at once, over all servers that are given the same one as
 * `maxConnections`. What is more waits in the backlogs. (A server that waits for its next client when
 * another takes the last place still takes that one: each further server may be one above.)
 *
 * @example
 * const maxConnections = new ConnectionLimit(1000);
 * const echo = async (connection: Connection) => {
 *   for await (const chunk of connection) await connection.sendall(chunk);
 * };
 * await using one = await serve({ host: '127.0.0.1', port: 0 }, echo, { maxConnections });
 * await using two = await serve({ host: '::1', port: 0 }, echo, { maxConnections });
 * assert.equal(maxConnections.count, one.connections + two.connections);
 */
export class ConnectionLimit {
  readonly max: number;
  #count = 0;
  #waiting = new Set<() => void>();

  /** @throws TypeError, RangeError unless `max` is at least 1; Infinity limits nothing */
  constructor(max: number) {
    if (typeof max !== 'number' || Number.isNaN(max)) throw invalidType('max', 'a number', max);
    if (max < 1) throw outOfRange('max', 'at least 1', max);
    this.max = max;
  }

  /** Connections that are open now. */
  get count(): number {
    return this.#count;
  }

  /** Whether another may be opened. */
  get hasRoom(): boolean {
    return this.#count < this.max;
  }

  /** One is open now. Nothing is checked: who asks `hasRoom` first knows. */
  take(): void {
    this.#count++;
  }

  /** One has ended; everybody who waits is told. */
  release(): void {
    this.#count--;
    const waiting = this.#waiting;
    this.#waiting = new Set();
    for (const wake of waiting) wake();
  }

  /** Calls `wake` once when one has ended; a function that waits already is not added again. */
  onceReleased(wake: () => void): void {
    this.#waiting.add(wake);
  }
}
