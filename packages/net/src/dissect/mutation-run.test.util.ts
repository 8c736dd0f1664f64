// Throws mutated packets and files at everything that reads them, and measures the slowest.
import { classify, PacketClass } from './classify.ts';
import { createDissector } from './dissect.ts';
import { CaptureFileError } from './files/capture-file-error.ts';
import { CaptureReader } from './files/capture-reader.ts';
import { compileFilter } from './filter/compile-filter.ts';
import { runBpf } from './filter/run-bpf.ts';
import { FragmentReassembler } from './fragments/fragment-reassembler.ts';
import { linkType } from './layers/link-type.ts';
import { mutate, Randomness } from './mutate.test.util.ts';
import { allSamples } from './samples.test.util.ts';
import { samplesFile } from './tshark-oracle.test.util.ts';

export interface MutationReport {
  readonly packets: number;
  readonly files: number;
  /** Slowest packet, in milliseconds. */
  readonly slowestMs: number;
  readonly slowestHex: string;
  readonly stopped: number;
}

/** Runs `count` mutants; throws what a reader throws, with the bytes that did it. */
export async function runMutations(count: number, seed: number): Promise<MutationReport> {
  const samples = await allSamples();
  const random = new Randomness(seed);
  const dissect = createDissector({
    decodeAs: { 'tcp.port': { 8765: 'websocket', 8090: 'length-prefix' } },
  });
  const filter = compileFilter('tcp[((tcp[12] & 0xf0) >> 2):4] = 1 or port 53 or ip6 host ::1');
  const found = new PacketClass();
  const fragments = new FragmentReassembler();
  const slowest = { ms: 0, hex: '' };
  let stopped = 0;
  for (let index = 0; index < count; index++) {
    const sample = samples[random.below(samples.length)]!;
    const bytes = mutate(sample.bytes, samples[random.below(samples.length)]!.bytes, random);
    const begin = performance.now();
    try {
      const { stops } = dissect(bytes, { linkType: sample.linkType });
      if (stops.length > 0) stopped++;
      classify(bytes, sample.linkType, found);
      fragments.push({ bytes, linkType: sample.linkType });
      if (sample.linkType === linkType.ethernet) runBpf(filter, { bytes });
    } catch (error) {
      throw new Error(`${sample.name}: ${Buffer.from(bytes).toString('hex')}`, { cause: error });
    }
    const ms = performance.now() - begin;
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
