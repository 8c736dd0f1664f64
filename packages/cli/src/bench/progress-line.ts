import { formatCount } from './format-quantity.ts';
import type { Measurements } from './measurements.ts';
import type { RunClock } from './run-clock.ts';

const INTERVAL_MS = 500;
const ERASE_LINE = '\r\u001b[K';

/** Shows on a terminal how far a run is; elsewhere it does nothing. */
export class ProgressLine implements Disposable {
  #stream: NodeJS.WriteStream;
  #timer: NodeJS.Timeout | undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
  }

  start(measurements: Measurements, clock: RunClock): void {
    if (!this.#stream.isTTY || process.env['TERM'] === 'dumb') return;
    const show = (): void => {
      this.#stream.write(`${ERASE_LINE}${textOf(measurements, clock)}`);
    };
    this.#timer = setInterval(show, INTERVAL_MS);
    show();
  }

  [Symbol.dispose](): void {
    if (this.#timer === undefined) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#stream.write(ERASE_LINE);
  }
}

function textOf({ messages }: Measurements, clock: RunClock): string {
  const now = performance.now();
  if (now < clock.measureFrom) return 'warming up';
  const seconds = clock.measuredMs(now) / 1000;
  const total = (clock.endsAt - clock.measureFrom) / 1000;
  const rate = seconds > 0 ? formatCount(messages / seconds) : '0';
  return `${seconds.toFixed(1)} of ${total.toFixed(1)} s   ${rate} messages/s`;
}
