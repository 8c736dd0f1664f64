import { type ReceiveEvent, TransferError, type TransferReceipt } from '@sockeye/net/transfer';
import { formatByteRate, formatCount } from '../bench/format-quantity.ts';
import { escapeText } from '../text/escape-text.ts';
import { entriesText } from './entries-text.ts';
import { SENDER_INTERRUPTED } from './sender-interrupted.ts';

const ERASE_LINE = '\r\u001b[K';

export interface TransferReporterOptions {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Tells how a transfer goes: JSON on stdout, or lines and a progress line on stderr. */
export class TransferReporter {
  readonly #options: TransferReporterOptions;
  readonly #isAnimated: boolean;
  /** The first progress: waiting for an answer, and what was there already, are no part of the rate. */
  #began: { readonly at: number; readonly bytes: number } | undefined;
  #hasProgress = false;

  constructor(options: TransferReporterOptions) {
    this.#options = options;
    const { json, quiet } = options;
    this.#isAnimated = process.stderr.isTTY && process.env['TERM'] !== 'dumb' && !json && !quiet;
  }

  /** A line for people; not with --quiet. */
  say(text: string): void {
    if (!this.#options.quiet) this.#line(text);
  }

  /** A line for people on a terminal, which the next one replaces. */
  wait(text: string): void {
    if (!this.#isAnimated) return;
    this.#hasProgress = true;
    process.stderr.write(`${ERASE_LINE}${firstThatFits([text])}`);
  }

  /** An event of the command's own. */
  tellJson(event: object): void {
    if (this.#options.json) process.stdout.write(`${JSON.stringify(event)}\n`);
  }

  tell(event: ReceiveEvent): void {
    this.tellJson(jsonOf(event));
    if (event.type === 'progress') this.#progress(event);
    else if (!this.#options.json || isProblem(event)) this.#tellText(event);
  }

  #tellText(event: Exclude<ReceiveEvent, { type: 'progress' }>): void {
    const text = textOf(event);
    if (isProblem(event)) this.#line(text);
    else this.say(text);
  }

  #line(text: string): void {
    this.clear();
    process.stderr.write(`${escapeText(text, { keep: '' })}\n`);
  }

  /** Takes the progress line away: another line comes, or the end. */
  clear(): void {
    if (this.#hasProgress) process.stderr.write(ERASE_LINE);
    this.#hasProgress = false;
  }

  #progress({ bytes, totalBytes }: Extract<ReceiveEvent, { type: 'progress' }>): void {
    if (!this.#isAnimated) return;
    // The answer is there, and nothing else yet.
    if (bytes === 0 && totalBytes > 0) {
      this.clear();
      return;
    }
    const began = (this.#began ??= { at: performance.now(), bytes });
    const seconds = (performance.now() - began.at) / 1000;
    const rate = (bytes - began.bytes) / Math.max(seconds, 0.001);
    const share = `${totalBytes === 0 ? 100 : Math.floor((100 * bytes) / totalBytes)}%`;
    const amount = `${formatCount(bytes)} of ${formatCount(totalBytes)} bytes`;
    const speed = formatByteRate(rate);
    const left = rate > 0 ? [`${Math.ceil((totalBytes - bytes) / rate)} s left`] : [];
    this.#hasProgress = true;
    process.stderr.write(
      `${ERASE_LINE}${firstThatFits([share, amount, speed, ...left], [share, speed, ...left], [share])}`,
    );
  }
}

/** A line that the terminal breaks is one that can't be erased. */
function firstThatFits(...forms: readonly string[][]): string {
  const room = process.stderr.columns - 1;
  const lines = forms.map((parts) => parts.join('  '));
  return lines.find((line) => line.length <= room) ?? '';
}

function isProblem(event: ReceiveEvent): boolean {
  if (event.type === 'ended') return !isDeclined(event);
  return event.type === 'failed' || event.type === 'rejected';
}

type Ended = Extract<ReceiveEvent, { type: 'ended' }>;

function isDeclined({ error }: Ended): boolean {
  return error instanceof TransferError && error.reason === 'declined';
}

function endedText(event: Ended): string {
  const { peer, error } = event;
  if (isDeclined(event)) return `declined the offer from ${peer}`;
  if (error.message.endsWith(JSON.stringify(SENDER_INTERRUPTED))) {
    return `${SENDER_INTERRUPTED}: ${peer}; what arrived is kept, its next run goes on`;
  }
  return `the transfer from ${peer} did not end well: ${error.message}`;
}

/** Names as one text; an error as its message; the receipt without its entries. */
function jsonOf(event: ReceiveEvent): object {
  if (event.type === 'ended') return { ...event, error: event.error.message };
  if (event.type === 'done') {
    const { entries: _, ...receipt } = event.receipt;
    const entries = receipt.acknowledged + receipt.failed;
    return { ...receipt, type: 'done', peer: event.peer, entries };
  }
  if (!('path' in event)) return event;
  const { path, ...rest } = event;
  return { ...rest, name: path.join('/') };
}

function textOf(event: Exclude<ReceiveEvent, { type: 'progress' }>): string {
  switch (event.type) {
    case 'offer':
      return `${event.peer}: ${entriesText(event.entries)}, ${formatCount(event.bytes)} bytes`;
    case 'file':
      return `${event.how === 'written' ? 'done' : 'same'} ${event.path.join('/')}`;
    case 'failed':
      return `failed ${event.path.join('/')}: ${event.text} (${event.reason})${hintOf(event)}`;
    case 'rejected':
      return `turned away ${event.peer}: ${event.text}`;
    case 'ended':
      return endedText(event);
    case 'done':
      return doneText(event.receipt);
    default:
      return event satisfies never;
  }
}

function hintOf({ reason }: { readonly reason: string }): string {
  return reason === 'exists' ? '; the receiver replaces it with --overwrite' : '';
}

function doneText(receipt: TransferReceipt): string {
  const { acknowledged, failed, transferredBytes, startedAt, endedAt } = receipt;
  const seconds = (Date.parse(endedAt) - Date.parse(startedAt)) / 1000;
  const rate = formatByteRate(transferredBytes / Math.max(seconds, 0.001));
  const rest = failed === 0 ? '' : `, ${formatCount(failed)} failed`;
  return `${formatCount(acknowledged)} acknowledged${rest}; ${formatCount(transferredBytes)} bytes in ${seconds.toFixed(1)} s (${rate})`;
}
