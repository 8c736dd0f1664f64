import type { Capture, CaptureFile } from '@sockeye/net/capture';
import type { PacketItem } from '@sockeye/net/dissect';
import { counted } from '../text/counted.ts';
import type { LineOutput } from './line-output.ts';
import type { PacketReport } from './packet-report.ts';

/** Where the packets of a capture go. */
export interface CaptureSinks {
  readonly report: PacketReport;
  readonly output: LineOutput;
  readonly kept: CaptureFile | undefined;
  /** Packets after which it ends; default never. */
  readonly count?: number | undefined;
}

const LINK_NAMES: ReadonlyMap<number, string> = new Map([
  [1, 'Ethernet'],
  [101, 'raw IP'],
  [276, 'Linux cooked v2'],
]);
// Often enough to be seen, seldom enough to be read; arbitrary.
const WARNING_INTERVAL_MS = 1000;

/** A capture from its first packet to its counters. */
export class CaptureRun {
  readonly #capture: Capture;
  readonly #sinks: CaptureSinks;
  #captured = 0;
  #dropped = 0;
  #checkedAt = performance.now();

  constructor(capture: Capture, sinks: CaptureSinks) {
    this.#capture = capture;
    this.#sinks = sinks;
  }

  stop(): void {
    this.#capture.stop();
  }

  /** Ends when the capture does; what was captured is written then, and the counters are told. */
  async run(): Promise<void> {
    const { report, output, kept } = this.#sinks;
    for (const item of this.#capture.header) kept?.write(item);
    await kept?.flush();
    this.#announce();
    try {
      if (kept?.takesRecords === true && this.#onlyKeeps) await this.#keep(kept);
      else await this.#showAndKeep();
      report.end();
      await output.flush();
    } finally {
      await this.#finish();
    }
  }

  get #onlyKeeps(): boolean {
    return this.#sinks.report.isIdle && this.#sinks.count === undefined;
  }

  /** Nobody looks at the packets: they go to the file as the ring's blocks come. */
  async #keep(kept: CaptureFile): Promise<void> {
    for await (const { bytes, count } of this.#capture.records()) {
      this.#captured += count;
      kept.writeRecords(bytes);
      await kept.flush();
      this.#warnOfDrops();
    }
  }

  async #showAndKeep(): Promise<void> {
    const { output, kept } = this.#sinks;
    for await (const batch of this.#capture.packets()) {
      const isEnough = this.#take(batch);
      await output.flush();
      await kept?.flush();
      if (isEnough) return;
      this.#warnOfDrops();
    }
  }

  #take(batch: Iterable<PacketItem>): boolean {
    const { report, kept, count = Number.POSITIVE_INFINITY } = this.#sinks;
    for (const item of batch) {
      this.#captured++;
      kept?.write(item);
      report.packet(item, this.#captured, this.#capture.interface);
      if (this.#captured >= count) return true;
    }
    return false;
  }

  #announce(): void {
    const { linkType, snapLength, filter } = this.#capture;
    const link = LINK_NAMES.get(linkType) ?? `link type ${linkType}`;
    const only = filter === '' ? '' : `, filter "${filter}"`;
    process.stderr.write(
      `capturing on ${this.#capture.interface}, ${link}, up to ${counted(snapLength, 'byte')} a packet${only}\n`,
    );
  }

  #warnOfDrops(): void {
    const now = performance.now();
    if (now - this.#checkedAt < WARNING_INTERVAL_MS) return;
    this.#checkedAt = now;
    const { dropped } = this.#capture.statistics();
    if (dropped > this.#dropped) {
      process.stderr.write(
        `sockeye: ${counted(dropped, 'packet')} dropped so far: the reader is too slow\n`,
      );
    }
    this.#dropped = dropped;
  }

  async #finish(): Promise<void> {
    const { output, kept, report } = this.#sinks;
    const { received, dropped } = this.#capture.statistics();
    kept?.write(this.#capture.statisticsItem());
    await kept?.flush();
    if (report.isJson) {
      const type = 'statistics';
      output.object({ type, captured: this.#captured, received, dropped });
      await output.flush();
    }
    process.stderr.write(
      `${counted(this.#captured, 'packet')} captured, ${received} received by the filter, ${dropped} dropped by the kernel\n`,
    );
  }
}
