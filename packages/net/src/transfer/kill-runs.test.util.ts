import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { randomFrom } from '../testing/index.ts';
import { contents, MIB, TwoDirectories } from './transfers.test.util.ts';

const LIBRARY = new URL('./index.js', import.meta.url).href;
const SECRET = 'kill0runs-0123-4567-89ab-cdef-ghjk-mnpq';

const RECEIVER = `
import { receiveFiles } from ${JSON.stringify(LIBRARY)};
const [inbox, secret] = process.argv.slice(1);
const how = secret === 'insecure' ? { insecure: true } : { secret };
const receiver = await receiveFiles(inbox, { host: '127.0.0.1', port: 0 }, how);
process.stdout.write(receiver.address.port + '\\n');
`;

const SENDER = `
import { writeSync } from 'node:fs';
import { sendFiles } from ${JSON.stringify(LIBRARY)};
const [source, port, secret, bytesPerSecond] = process.argv.slice(1);
const how = secret === 'insecure' ? { insecure: true } : { secret };
process.stdout.write('started\\n');
const receipt = await sendFiles([source], { host: '127.0.0.1', port: Number(port) }, {
  ...how,
  bytesPerSecond: Number(bytesPerSecond),
  // Told at once: a kill must not take what was acknowledged with it.
  onEvent(event) {
    if (event.type === 'file') writeSync(1, JSON.stringify(event.path.join('/')) + '\\n');
  },
});
writeSync(1, 'complete ' + receipt.complete + ' ' + receipt.transferredBytes + '\\n');
`;

/** What a campaign found. */
export interface KillReport {
  readonly rounds: number;
  readonly killedSenders: number;
  readonly killedReceivers: number;
  /** Files that had been acknowledged when a side was killed. */
  readonly acknowledged: number;
  /** Runs in which the kill came while something was unfinished. */
  readonly midway: number;
  /** What must never be: any of these fails the run. */
  readonly failures: readonly string[];
}

/** A child that prints lines. */
class Side {
  readonly lines: string[] = [];
  readonly child: ChildProcess;
  readonly #ended: Promise<unknown>;
  #first: Promise<unknown>;

  constructor(source: string, args: readonly string[]) {
    this.child = spawn(process.execPath, ['--input-type=module', '-e', source, ...args], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const reader = createInterface({ input: this.child.stdout as NodeJS.ReadableStream });
    reader.on('line', (line) => this.lines.push(line));
    this.#first = once(reader, 'line');
    this.#ended = Promise.all([once(this.child, 'exit'), once(reader, 'close')]);
  }

  async firstLine(): Promise<string> {
    await this.#first;
    return this.lines[0] as string;
  }

  async ended(): Promise<void> {
    await this.#ended;
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL');
    await this.#ended;
  }
}

/**
 * Kills either side (SIGKILL) at random moments of a transfer, looks at what is left, and lets the
 * next run complete it.
 */
export async function runKills(options: {
  readonly rounds: number;
  readonly seed: number;
  readonly onRound?: (round: number) => void;
}): Promise<KillReport> {
  const random = randomFrom(options.seed);
  const failures: string[] = [];
  const counts = { killedSenders: 0, killedReceivers: 0, acknowledged: 0, midway: 0 };
  using place = new TwoDirectories();
  for (let i = 0; i < 24; i++) place.write(`tree/${i % 3}/small ${i}`, 100 + i * 997);
  place.write('tree/large', 9 * MIB + 12_345);
  place.write('tree/zz last', 700_000);
  for (let round = 0; round < options.rounds; round++) {
    rmSync(place.inbox, { recursive: true });
    mkdirSync(place.inbox);
    const secret = round % 2 === 0 ? SECRET : 'insecure';
    const victim = random() < 0.5 ? 'sender' : 'receiver';
    await killOnce(place, { secret, victim, delayMs: random() * 450 }, counts, (text) =>
      failures.push(`round ${round} (${victim}, ${secret}): ${text}`),
    );
    options.onRound?.(round);
  }
  return { rounds: options.rounds, ...counts, failures };
}

interface Kill {
  readonly secret: string;
  readonly victim: 'sender' | 'receiver';
  readonly delayMs: number;
}

async function killOnce(
  place: TwoDirectories,
  { secret, victim, delayMs }: Kill,
  counts: { killedSenders: number; killedReceivers: number; acknowledged: number; midway: number },
  fail: (text: string) => void,
): Promise<void> {
  const source = join(place.source, 'tree');
  const receiver = new Side(RECEIVER, [place.inbox, secret]);
  const port = await receiver.firstLine();
  // 40 MiB/s: the transfer lasts about as long as the longest delay.
  const sender = new Side(SENDER, [source, port, secret, String(40 * MIB)]);
  await sender.firstLine();
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  if (victim === 'sender') {
    counts.killedSenders++;
    await sender.kill();
  } else {
    counts.killedReceivers++;
    await receiver.kill();
    await sender.ended();
  }
  const acknowledged = sender.lines.filter((line) => line.startsWith('"'));
  counts.acknowledged += acknowledged.length;
  if (!sender.lines.some((line) => line.startsWith('complete'))) counts.midway++;
  for (const line of acknowledged) {
    const name = JSON.parse(line) as string;
    if (!existsSync(join(place.inbox, name))) fail(`${name} was acknowledged and is gone`);
  }
  checkNames(place, fail);
  const kept = keptBytes(place.inbox);
  if (victim === 'receiver') await completeWith(place, secret, kept, fail);
  else {
    await complete(place, port, secret, kept, fail);
    await receiver.kill();
  }
}

/** No final name may be torn: what has one is the same as its source. */
function checkNames(place: TwoDirectories, fail: (text: string) => void): void {
  for (const [name, content] of contents(place.inbox)) {
    if (name.endsWith('.part')) continue;
    if (!content.equals(readFileSync(join(place.source, name)))) fail(`${name} is torn`);
  }
}

function keptBytes(inbox: string): number {
  return [...contents(inbox).values()].reduce((sum, { length }) => sum + length, 0);
}

async function completeWith(
  place: TwoDirectories,
  secret: string,
  kept: number,
  fail: (text: string) => void,
): Promise<void> {
  const receiver = new Side(RECEIVER, [place.inbox, secret]);
  await complete(place, await receiver.firstLine(), secret, kept, fail);
  await receiver.kill();
}

async function complete(
  place: TwoDirectories,
  port: string,
  secret: string,
  kept: number,
  fail: (text: string) => void,
): Promise<void> {
  const source = join(place.source, 'tree');
  const sender = new Side(SENDER, [source, port, secret, 'Infinity']);
  await sender.ended();
  const outcome = sender.lines.at(-1) ?? 'nothing';
  if (!outcome.startsWith('complete true')) fail(`the next run said: ${outcome}`);
  const total = keptBytes(place.source);
  // What is on the disk and not sent again, but for blocks that were cut.
  const again = Number(outcome.split(' ')[2]) - (total - kept);
  if (again > 2 * MIB) fail(`${again} bytes of ${kept} on the disk were sent again`);
  const left = readdirSync(place.inbox, { recursive: true, encoding: 'utf8' });
  if (left.some((name) => name.endsWith('.part'))) fail('an unfinished file is left');
  checkNames(place, fail);
  if (contents(place.inbox).size !== contents(place.source).size) fail('a file is missing');
}
