// Throws mutated packets and files at everything that reads them, and measures the slowest.
import { classify, PacketClass } from './classify.ts';
import { ConversationTracker } from './conversations/conversation-tracker.ts';
import { sequenceText } from './conversations/sequence-text.ts';
import { createDissector } from './dissect.ts';
import { CaptureFileError } from './files/capture-file-error.ts';
import { CaptureReader } from './files/capture-reader.ts';
import { compileFilter } from './filter/compile-filter.ts';
import { runBpf } from './filter/run-bpf.ts';
import { FragmentReassembler } from './fragments/fragment-reassembler.ts';
import { linkType } from './layers/link-type.ts';
import { mutate, Randomness } from './mutate.test.util.ts';
import { allSamples, type Sample } from './samples.test.util.ts';
import { samplesFile } from './tshark-oracle.test.util.ts';

export interface MutationReport {
  readonly packets: number;
  readonly files: number;
  /** Slowest packet, in milliseconds. */
  readonly slowestMs: number;
  readonly slowestHex: string;
  readonly stopped: number;
}

// A pause of the collector or of the machine doesn't come at the same packet each time: what looks
// slow is measured again, and the quickest run counts.
const suspiciousMs = 10;
const measurements = 5;

/** Everything that looks at one packet. */
class PacketReaders {
  readonly #dissect = createDissector({
    decodeAs: { 'tcp.port': { 8765: 'websocket', 8090: 'length-prefix' } },
  });
  readonly #filter = compileFilter(
    'tcp[((tcp[12] & 0xf0) >> 2):4] = 1 or port 53 or ip6 host ::1 or vlan 5',
  );
  readonly #found = new PacketClass();
  readonly #fragments = new FragmentReassembler();
  readonly #tracker = new ConversationTracker({ streams: true, maxConversations: 1000 });
  #packets = 0;

  /** Whether the dissection stopped before the packet's end. */
  read({ name, linkType: link }: Sample, bytes: Uint8Array): boolean {
    const seconds = this.#packets++;
    try {
      const { stops } = this.#dissect(bytes, { linkType: link });
      const fault = stops.find(({ reason }) => reason === 'failed');
      if (fault !== undefined) throw new Error(`${fault.protocol}: ${fault.expected}`);
      classify(bytes, link, this.#found);
      if (link === linkType.ethernet) runBpf(this.#filter, { bytes });
      this.#fragments.push({ bytes, linkType: link, seconds });
      const event = this.#tracker.push({ buffer: bytes, linkType: link, seconds, nanoseconds: 0 });
      const isShown = event?.conversation.type === 'tcp' && seconds % 100 === 0;
      if (isShown && event.conversation.type === 'tcp') sequenceText(event.conversation);
      return stops.length > 0;
    } catch (error) {
      throw new Error(`${name}: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
    }
  }

  /** Milliseconds that reading takes. */
  measure(sample: Sample, bytes: Uint8Array): number {
    const begin = performance.now();
    this.read(sample, bytes);
    return performance.now() - begin;
  }
}

/** Runs `count` mutants; throws what a reader throws, with the bytes that did it. */
export async function runMutations(count: number, seed: number): Promise<MutationReport> {
  const samples = await allSamples();
  const random = new Randomness(seed);
  const readers = new PacketReaders();
  const slowest = { ms: 0, hex: '' };
  let stopped = 0;
  for (let index = 0; index < count; index++) {
    const sample = samples[random.below(samples.length)]!;
    const bytes = mutate(sample.bytes, samples[random.below(samples.length)]!.bytes, random);
    const begin = performance.now();
    if (readers.read(sample, bytes)) stopped++;
    let ms = performance.now() - begin;
    for (let again = 1; ms > suspiciousMs && again < measurements; again++) {
      ms = Math.min(ms, readers.measure(sample, bytes));
    }
    if (ms > slowest.ms) Object.assign(slowest, { ms, hex: Buffer.from(bytes).toString('hex') });
  }
  const files = Math.ceil(count / 20);
  const file = samplesFile(samples.slice(0, 20));
  for (let index = 0; index < files; index++) readMutant(mutate(file, file, random), random);
  return { packets: count, files, slowestMs: slowest.ms, slowestHex: slowest.hex, stopped };
}

function readMutant(bytes: Uint8Array, random: Randomness): void {
  const reader = new CaptureReader();
  const chunk = random.below(200) + 1;
  try {
    for (let at = 0; at < bytes.length; at += chunk) {
      for (const item of reader.push(bytes.subarray(at, at + chunk))) {
        if (item.type === 'packet') item.bytes.at(-1);
      }
    }
    reader.end();
  } catch (error) {
    if (!(error instanceof CaptureFileError)) {
      throw new Error(`file: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
    }
  }
}
