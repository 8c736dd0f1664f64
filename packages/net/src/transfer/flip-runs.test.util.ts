import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { randomFrom } from '../testing/index.ts';
import { contents, MIB, Proxy, transfer, TwoDirectories } from './transfers.test.util.ts';
import { generateSecret } from './wire/pairing-secret.ts';

/** What a campaign found. */
export interface FlipReport {
  readonly rounds: number;
  /** Transfers that were complete all the same: damaged blocks came again. */
  readonly repaired: number;
  /** Transfers that ended with an error. */
  readonly ended: number;
  /** Transfers that ran to their end without some of the files. */
  readonly partly: number;
  /** What must never be: any of these fails the run. */
  readonly failures: readonly string[];
}

/** Flips a bit of each byte whose place in the stream is due. */
function flipper(places: readonly number[]) {
  return (chunk: Buffer, offset: number): Buffer => {
    const here = places.filter((at) => at >= offset && at < offset + chunk.length);
    if (here.length === 0) return chunk;
    const changed = Buffer.from(chunk);
    for (const at of here)
      changed[at - offset] = (changed[at - offset] as number) ^ (1 << (at % 8));
    return changed;
  };
}

/**
 * Flips bits on the wire, below TLS or the frames, in either direction, and looks at what has a name
 * then; the next run, without flips, has to complete.
 */
export async function runFlips(options: {
  readonly rounds: number;
  readonly seed: number;
}): Promise<FlipReport> {
  const random = randomFrom(options.seed);
  const failures: string[] = [];
  const counts = { repaired: 0, ended: 0, partly: 0 };
  using place = new TwoDirectories();
  for (let i = 0; i < 12; i++) place.write(`tree/${i % 3}/small ${i}`, i * 997);
  place.write('tree/large', 3 * MIB + 12_345);
  const source = join(place.source, 'tree');
  for (let round = 0; round < options.rounds; round++) {
    rmSync(place.inbox, { recursive: true });
    mkdirSync(place.inbox);
    const secret = round % 2 === 0 ? generateSecret() : undefined;
    const receive = secret === undefined ? {} : { secret };
    // The receiver says little: its whole side of the stream is some kilobytes.
    const backward = random() < 0.3;
    const reach = random() < 0.3 ? 2_000 : backward ? 4_000 : 3.2 * MIB;
    const places = Array.from({ length: 1 + Math.floor(random() * 3) }, () =>
      Math.floor(random() * reach),
    );
    const none = (chunk: Buffer): Buffer => chunk;
    using proxy = backward ? new Proxy(none, flipper(places)) : new Proxy(flipper(places), none);
    const what = `round ${round} (${secret === undefined ? 'insecure' : 'secret'}, ${backward ? 'back' : 'forth'} ${places.join()})`;
    const acknowledged: string[] = [];
    const outcome = await transfer([source], place.inbox, {
      receive: { ...receive, frameTimeoutMs: 200, idleTimeoutMs: 400 },
      send: {
        frameTimeoutMs: 200,
        idleTimeoutMs: 400,
        onEvent(event) {
          if (event.type === 'file' && event.kind === 'file')
            acknowledged.push(event.path.join('/'));
        },
      },
      through: (port) => proxy.listen(port),
    }).catch(() => undefined);
    if (outcome === undefined) counts.ended++;
    else if (outcome.receipt.complete) counts.repaired++;
    else counts.partly++;
    const arrived = contents(place.inbox);
    for (const [name, content] of arrived) {
      if (name.endsWith('.part') || content.equals(readFileSync(join(place.source, name))))
        continue;
      failures.push(`${what}: ${name} is wrong`);
    }
    for (const name of acknowledged) {
      if (!arrived.has(name)) failures.push(`${what}: ${name} was acknowledged and is not there`);
    }
    const next = await transfer([source], place.inbox, { receive });
    if (!next.receipt.complete) failures.push(`${what}: the next run did not complete`);
  }
  return { rounds: options.rounds, ...counts, failures };
}
