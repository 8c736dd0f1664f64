import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  type AddressInfo,
  connect as connectTcp,
  createServer,
  type Server,
  type Socket as NetSocket,
} from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { connect, createSecureContext, TLSSocket } from 'node:tls';
import { TlsTruncatedError } from '../../errors/index.ts';
import { randomFrom } from '../../testing/index.ts';
import { createConnection } from '../create-connection.ts';
import { Socket } from '../socket.ts';
import { TlsStream } from './tls-stream.ts';
import type { TlsSide } from './tls-records.ts';
import { TlsTransport } from './tls-transport.ts';

const KEY = randomBytes(32);
const OPTIONS = { ciphers: 'TLS_AES_128_GCM_SHA256', minVersion: 'TLSv1.3' } as const;
const SHARED = { ...OPTIONS, pskCallback: () => ({ psk: KEY, identity: 'fuzz' }) };
const HEADER_BYTES = 5;
const MOST_BYTES = 120_000;
/** Without a byte for so long a wire that did damage is cut: somebody waits for what was taken out. */
const SILENCE_MS = 100;
/** A side that has not settled so long after the cut never will. */
const PATIENCE_MS = 3_000;

/** What a campaign found. */
export interface RecordReport {
  readonly runs: number;
  /** Runs whose wire changed something. */
  readonly damaged: number;
  /** Runs in which both sides had everything. */
  readonly whole: number;
  /** What must never be: any of these fails the campaign. */
  readonly failures: readonly string[];
}

type Random = () => number;

/** What a wire makes of a record. */
type Change = (record: Buffer, random: Random) => Buffer[];

const changes: Readonly<Record<string, Change>> = {
  flip(record, random) {
    const changed = Buffer.from(record);
    const at = below(changed.length, random);
    changed[at] = (changed[at] as number) ^ (1 << below(8, random));
    return [changed];
  },
  leaveOut: () => [],
  twice: (record) => [record, record],
  cut: (record, random) => [record.subarray(0, below(record.length, random))],
  shorten: (record, random) => [
    framed(record[0] as number, record.subarray(HEADER_BYTES, below(record.length, random))),
  ],
  lengthen: (record, random) => [
    framed(
      record[0] as number,
      Buffer.concat([record.subarray(HEADER_BYTES), randomBytes(1 + below(600, random))]),
    ),
  ],
  oversized: (record, random) => [
    framed(record[0] as number, randomBytes(16_641 + below(2_000, random))),
  ],
  longest: () => [framed(23, Buffer.alloc(65_535))],
  empty: (record) => [framed(record[0] as number, Buffer.alloc(0)), record],
  stranger: (record, random) => [
    framed(20 + below(5, random), randomBytes(below(300, random))),
    record,
  ],
  alertInClear: (record, random) => [
    framed(21, Buffer.from([1 + below(2, random), below(256, random)])),
    record,
  ],
  noise: (_record, random) => [randomBytes(1 + below(20_000, random))],
  otherType(record, random) {
    const changed = Buffer.from(record);
    changed[0] = below(256, random);
    return [changed];
  },
  split: (record, random) => {
    const at = below(record.length, random);
    return [
      framed(record[0] as number, record.subarray(HEADER_BYTES, at)),
      framed(record[0] as number, record.subarray(Math.max(HEADER_BYTES, at))),
    ];
  },
};

function below(most: number, random: Random): number {
  return Math.floor(random() * most);
}

function framed(type: number, body: Uint8Array): Buffer {
  const head = Buffer.from([type, 3, 3, 0, 0]);
  head.writeUInt16BE(body.length, 3);
  return Buffer.concat([head, body]);
}

/** What happens to the records of one direction: one is changed, or two change places, or nothing is. */
class Damage {
  readonly what: string;
  hasHappened = false;
  readonly #at: number;
  readonly #random: Random;
  #rest: Buffer = Buffer.alloc(0);
  #held: Buffer | undefined;
  #number = 0;

  constructor(what: string, at: number, random: Random) {
    this.what = what;
    this.#at = at;
    this.#random = random;
  }

  /** The pieces to pass on, whose borders are none of the records'. */
  pass(chunk: Buffer): Buffer[] {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    const passed: Buffer[] = [];
    for (;;) {
      const end =
        HEADER_BYTES + (this.#rest.length < HEADER_BYTES ? 0 : this.#rest.readUInt16BE(3));
      if (this.#rest.length < HEADER_BYTES || this.#rest.length < end) break;
      passed.push(...this.#change(Buffer.from(this.#rest.subarray(0, end))));
      this.#rest = this.#rest.subarray(end);
    }
    const all = Buffer.concat(passed);
    const cut = below(all.length, this.#random);
    return all.length < 2 || this.#random() < 0.5
      ? [all]
      : [all.subarray(0, cut), all.subarray(cut)];
  }

  #change(record: Buffer): Buffer[] {
    const isDue = this.#number++ === this.#at;
    if (this.#held !== undefined) {
      const held = this.#held;
      this.#held = undefined;
      return [record, held];
    }
    if (!isDue || this.what === 'nothing') return [record];
    this.hasHappened = true;
    const change = changes[this.what];
    if (change !== undefined) return change(record, this.#random);
    this.#held = record;
    return [];
  }
}

/** A wire in front of a port, for one connection. */
class Wire {
  readonly #server: Server;
  readonly #sockets: NetSocket[] = [];
  #clock: NodeJS.Timeout | undefined;

  constructor(port: number, [there, back]: readonly [Damage, Damage]) {
    this.#server = createServer({ allowHalfOpen: true }, (client) => {
      const target = connectTcp({ port, host: '127.0.0.1', allowHalfOpen: true });
      this.#sockets.push(client, target);
      this.#clock = setTimeout(() => {
        if (there.hasHappened || back.hasHappened) this.cut();
      }, SILENCE_MS);
      this.#join(client, target, there);
      this.#join(target, client, back);
    });
  }

  #join(from: NetSocket, to: NetSocket, damage: Damage): void {
    from.on('error', () => to.destroy());
    from.on('end', () => to.end());
    from.on('data', (chunk: Buffer) => {
      this.#clock?.refresh();
      for (const piece of damage.pass(chunk)) if (!to.destroyed) to.write(piece);
    });
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return (this.#server.address() as AddressInfo).port;
  }

  cut(): void {
    clearTimeout(this.#clock);
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** What one side has got, and how that ended. */
interface Outcome {
  readonly got: Buffer;
  readonly ended: 'ended' | 'failed';
  readonly error?: unknown;
}

async function ourOutcome(agreed: Promise<TlsStream>, said: Buffer): Promise<Outcome> {
  const got: Buffer[] = [];
  try {
    const stream = await agreed;
    // What can't be sent shows in what is received as well, or in what the peer has not.
    void stream
      .send(said)
      .then(() => stream.shutdown())
      .catch(() => undefined);
    for (let part = await stream.receive(); part !== undefined; part = await stream.receive()) {
      got.push(Buffer.from(part));
    }
    return { got: Buffer.concat(got), ended: 'ended' };
  } catch (error) {
    return { got: Buffer.concat(got), ended: 'failed', error };
  }
}

function theirOutcome(theirs: TLSSocket, said: Buffer, event: string): Promise<Outcome> {
  const got: Buffer[] = [];
  theirs.once(event, () => theirs.write(said));
  // Not before: a node:tls that has ended loses, now and then, what still comes.
  theirs.once('end', () => theirs.end());
  theirs.on('data', (part: Buffer) => got.push(part));
  return new Promise((resolve) => {
    theirs.once('end', () => resolve({ got: Buffer.concat(got), ended: 'ended' }));
    const failed = (error?: unknown): void =>
      resolve({ got: Buffer.concat(got), ended: 'failed', error });
    theirs.once('error', failed);
    theirs.once('close', failed);
  });
}

/** Both sides of one conversation. */
interface Sides {
  readonly ours: Promise<TlsStream>;
  readonly theirs: TLSSocket;
  /** When node:tls's side has agreed. */
  readonly event: 'secure' | 'secureConnect';
  destroy(): void;
}

interface Ends extends Disposable {
  readonly port: number;
  /** Makes both sides, of which one connects to the wire's port. */
  begin(port: number): Promise<Sides>;
}

/** Our side as the client, and node:tls as its server. */
async function asClient(recordsPerKey: number | undefined): Promise<Ends> {
  const listener = createServer();
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  return {
    port: (listener.address() as AddressInfo).port,
    async begin(port) {
      const accepted = once(listener, 'connection');
      const socket = await createConnection({ host: '127.0.0.1', port });
      const transport = new TlsTransport(socket, recordsPerKey);
      const tls = connect({ ...SHARED, socket: transport, checkServerIdentity: () => undefined });
      const stream = new TlsStream(tls, transport);
      const [raw] = (await accepted) as [NetSocket];
      const theirs = new TLSSocket(raw, serverOptions());
      const destroy = (): void => stream.destroy();
      return { ours: Promise.resolve(stream), theirs, event: 'secure', destroy };
    },
    [Symbol.dispose]: () => void listener.close(),
  };
}

function serverOptions(): ConstructorParameters<typeof TLSSocket>[1] {
  return {
    isServer: true,
    secureContext: createSecureContext(OPTIONS),
    pskCallback: () => KEY,
    ...OPTIONS,
  } as ConstructorParameters<typeof TLSSocket>[1];
}

/** Our side as the server, and node:tls as its client. */
function asServer(recordsPerKey: number | undefined): Promise<Ends> {
  const listener = new Socket();
  listener.bind({ host: '127.0.0.1', port: 0 });
  listener.listen();
  return Promise.resolve({
    port: listener.getsockname().port,
    async begin(port: number): Promise<Sides> {
      const checkServerIdentity = (): undefined => undefined;
      const theirs = connect({ ...SHARED, port, host: '127.0.0.1', checkServerIdentity });
      theirs.on('error', () => undefined);
      const [socket] = await listener.accept();
      const transport = new TlsTransport(socket, recordsPerKey);
      const tls = new TLSSocket(transport, serverOptions());
      tls.on('keylog', (line) => transport.learn(line, tls, 'server'));
      const ours = new Promise<TlsStream>((resolve, reject) => {
        tls.once('secure', () => resolve(new TlsStream(tls, transport)));
        tls.once('error', reject);
        // Before its handshake is over a server's TLSSocket doesn't say that the connection is.
        transport.once('end', () => reject(new Error('closed')));
        transport.once('close', () => reject(new Error('closed')));
      });
      const destroy = (): void => {
        tls.destroy();
        transport.destroy();
      };
      return { ours, theirs, event: 'secureConnect', destroy };
    },
    [Symbol.dispose]: () => listener.close(),
  });
}

/** Whether a side got a beginning of what the other said. */
function isBeginning({ got }: Outcome, said: Buffer): boolean {
  return got.equals(said.subarray(0, got.length));
}

/**
 * Lets our side of TLS talk with node:tls over a wire that changes, leaves out, doubles, cuts or
 * invents records, those of the handshake too. Whatever it does, a side may only have got a beginning
 * of what the other has said, and ours call it the end only where it was all.
 */
export async function runRecords(options: {
  readonly runs: number;
  readonly seed: number;
  /** Changes the keys so often. */
  readonly recordsPerKey?: number;
  /** The only change there is: `nothing`, or one of those here. */
  readonly only?: string;
}): Promise<RecordReport> {
  const random = randomFrom(options.seed);
  const failures: string[] = [];
  const counts = { damaged: 0, whole: 0 };
  const names =
    options.only === undefined ? [...Object.keys(changes), 'swap', 'nothing'] : [options.only];
  const ends = {
    client: await asClient(options.recordsPerKey),
    server: await asServer(options.recordsPerKey),
  };
  for (let run = 0; run < options.runs; run++) {
    const side: TlsSide = random() < 0.5 ? 'client' : 'server';
    const [there, back] = [0, 1].map(
      () => new Damage(names[below(names.length, random)] as string, below(12, random), random),
    ) as [Damage, Damage];
    const what = `run ${run} (our ${side}, ${there.what} and ${back.what})`;
    const outcome = await runOnce(ends[side], [there, back], random).catch(
      (error: unknown) => `threw ${String(error)}`,
    );
    const isDamaged = there.hasHappened || back.hasHappened;
    if (isDamaged) counts.damaged++;
    if (typeof outcome === 'string') failures.push(`${what}: ${outcome}`);
    else if (outcome) counts.whole++;
    else if (!isDamaged) failures.push(`${what}: not whole over a good wire`);
  }
  ends.client[Symbol.dispose]();
  ends.server[Symbol.dispose]();
  return { runs: options.runs, ...counts, failures };
}

/** Whether all arrived on both sides; a text for what must never be. */
async function runOnce(
  ends: Ends,
  damages: readonly [Damage, Damage],
  random: Random,
): Promise<boolean | string> {
  const wire = new Wire(ends.port, damages);
  const sides = await ends.begin(await wire.listen());
  const [we, they] = [below(MOST_BYTES, random), below(MOST_BYTES, random)].map((bytes) =>
    randomBytes(bytes),
  ) as [Buffer, Buffer];
  sides.theirs.on('error', () => undefined);
  const both = Promise.all([
    ourOutcome(sides.ours, we),
    theirOutcome(sides.theirs, they, sides.event),
  ]);
  try {
    const late = new AbortController();
    const outcome = await Promise.race([
      both,
      wait(SILENCE_MS + PATIENCE_MS, undefined, { signal: late.signal }),
    ]);
    late.abort();
    if (outcome === undefined) return 'a side never settled';
    const [ours, peers] = outcome;
    if (!isBeginning(ours, they) || !isBeginning(peers, we)) return 'got bytes that nobody said';
    const [isWhole, isTheirs] = [ours.got.length === they.length, peers.got.length === we.length];
    // node:tls makes an end of a FIN, too.
    if (ours.ended === 'ended' && !isWhole) return 'took a part for all';
    if (ours.ended === 'failed' && !(ours.error instanceof Error)) return 'failed without an error';
    // A node:tls that hears our close_notify and our FIN at once sometimes goes without its own.
    const isEnd = ours.ended === 'ended' || ours.error instanceof TlsTruncatedError;
    return isEnd && isWhole && isTheirs;
  } finally {
    wire.cut();
    sides.destroy();
    sides.theirs.destroy();
  }
}
