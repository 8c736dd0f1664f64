// The handlers of threads.ts, which run in worker threads.
import { StreamRequestHandler } from '@sockeye/net/server';

function primesBelow(limit: number): number {
  const composite = new Uint8Array(Math.max(limit, 2));
  let count = 0;
  for (let n = 2; n < limit; n++) {
    if (composite[n] === 1) continue;
    count++;
    for (let multiple = n * n; multiple < limit; multiple += n) composite[multiple] = 1;
  }
  return count;
}

export default class Primes extends StreamRequestHandler {
  override async handle(): Promise<void> {
    for await (const line of this.rfile) {
      const limit = Math.min(Number(line.toString()) || 0, 100_000_000);
      await this.wfile.write(Buffer.from(`${primesBelow(limit)}\n`));
    }
  }
}
