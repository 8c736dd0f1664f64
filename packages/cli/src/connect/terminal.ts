import type { ReadStream, WriteStream } from 'node:tty';
import type { Channel } from '../channel/channel.ts';
import { CommandError } from '../command-error.ts';
import { formatDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { explainError } from '../explain-error.ts';
import type { ConnectOptions } from './connect-options.ts';
import { History } from './history.ts';
import { IdleClock } from './idle-clock.ts';
import { LastAnswers } from './last-answers.ts';
import { LineView } from './line-view.ts';
import { SilenceHint } from './silence-hint.ts';
import { TerminalText } from './terminal-text.ts';

// Arbitrary: how long after Ctrl-D one wonders why it goes on.
const HINT_MS = 1000;

export interface TerminalEnds {
  readonly channel: Channel;
  readonly input: ReadStream;
  readonly output: WriteStream;
  /** With whom one talks, in a few words. */
  readonly greeting: string;
  /** What to say once where a line was sent and nothing has come for some seconds. */
  readonly onSilence?: (() => string) | undefined;
}

/**
 * Joins a person at a terminal to a peer: lines are edited and kept in a history, and what the peer
 * says appears above the line being typed, with its control characters escaped.
 *
 * @returns the exit status
 * @throws CommandError with the one line that says what failed
 */
export function converse(ends: TerminalEnds, options: ConnectOptions): Promise<number> {
  return new Conversation(ends, options).run();
}

class Conversation {
  #channel: Channel;
  #options: ConnectOptions;
  #greeting: string;
  #history = new History();
  #view: LineView;
  #text = new TerminalText();
  #stop = new AbortController();
  #clock: IdleClock;
  #lastAnswers: LastAnswers;
  #sending: Promise<void> = Promise.resolve();
  #hasSent = false;
  #hint: NodeJS.Timeout | undefined;
  #silence: SilenceHint;
  #failure: CommandError | undefined;
  #status: number = EXIT.ok;

  constructor(
    { channel, input, output, greeting, onSilence }: TerminalEnds,
    options: ConnectOptions,
  ) {
    this.#channel = channel;
    this.#options = options;
    this.#greeting = greeting;
    this.#silence = new SilenceHint(
      onSilence && (() => this.#view.notice(`sockeye: ${onSilence()}`)),
    );
    this.#clock = new IdleClock(options.timeout, () => this.#end(EXIT.deadline));
    this.#lastAnswers = new LastAnswers(options.timeout, () => this.#end(EXIT.ok));
    this.#view = new LineView({
      input,
      output,
      history: this.#history.load(),
      onLine: (line) => this.#onLine(line),
      onEnd: () => this.#onInputEnd(),
      onInterrupt: () => this.#end(EXIT.interrupted),
    });
  }

  async run(): Promise<number> {
    if (!this.#options.quiet) this.#view.notice(`${this.#greeting}; Ctrl-D ends`);
    try {
      await this.#receiveAll();
      if (!this.#stop.signal.aborted && !this.#options.quiet) {
        this.#view.notice('the peer closed the connection');
      }
    } finally {
      this.#view.close();
      this.#history.save();
      this.#clock[Symbol.dispose]();
      this.#lastAnswers.stop();
      clearTimeout(this.#hint);
      this.#silence.stop();
    }
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#status === EXIT.deadline) throw this.#deadline();
    return this.#status;
  }

  #onLine(line: string): void {
    this.#history.add(line);
    if (line === this.#options.quit) {
      this.#end(EXIT.ok);
      return;
    }
    const newline = this.#options.crlf ? '\r\n' : '\n';
    const data = Buffer.from(this.#channel.keepsMessages ? line : `${line}${newline}`);
    this.#sending = this.#sending.then(() => this.#send(data));
  }

  async #send(data: Buffer): Promise<void> {
    if (this.#stop.signal.aborted) return;
    try {
      this.#lastAnswers.sent();
      this.#hasSent = true;
      await this.#channel.send(data);
      this.#clock.touch();
      this.#silence.sent();
    } catch (error) {
      this.#failed('send to', error);
    }
  }

  /** The peer of a datagram socket may start later: a refusal is told, and no end. */
  #failed(action: string, error: unknown): void {
    if (this.#stop.signal.aborted) return;
    const failure =
      error instanceof CommandError ? error : explainError(action, this.#channel.endpoint, error);
    if (this.#channel.isConnectionless) this.#view.notice(`sockeye: ${failure.message}`);
    else {
      this.#failure ??= failure;
      this.#stop.abort();
    }
  }

  #onInputEnd(): void {
    this.#sending = this.#sending.then(() => this.#endSending());
  }

  async #endSending(): Promise<void> {
    if (this.#stop.signal.aborted) return;
    const { isConnectionless } = this.#channel;
    // Who has said nothing has no answers to wait for, nor anybody who might speak first.
    const waits = !isConnectionless || this.#hasSent;
    if (waits && this.#options.shutdown) await this.#channel.endSending();
    if (isConnectionless) this.#lastAnswers.ended(this.#hasSent);
    else if (!this.#options.quiet) {
      this.#hint = setTimeout(() => this.#tellOfWaiting(), HINT_MS).unref();
    }
  }

  #tellOfWaiting(): void {
    if (!this.#stop.signal.aborted) this.#view.notice('the peer has not closed yet; Ctrl-C ends');
  }

  async #receiveAll(): Promise<void> {
    for (;;) {
      let data: Buffer | undefined;
      try {
        data = await this.#channel.receive(this.#stop.signal);
      } catch (error) {
        this.#failed('receive from', error);
        if (this.#stop.signal.aborted) return;
        continue;
      }
      if (data === undefined) break;
      this.#clock.touch();
      this.#silence.stop();
      this.#lastAnswers.received();
      this.#show(data);
    }
    this.#view.print(this.#text.end());
  }

  #show(data: Buffer): void {
    const text = this.#text.push(data);
    if (!this.#channel.keepsMessages) {
      this.#view.print(text);
      return;
    }
    const whole = `${text}${this.#text.end()}`;
    this.#view.print(whole.endsWith('\n') ? whole : `${whole}\n`);
  }

  #end(status: number): void {
    this.#status = status;
    this.#stop.abort();
  }

  #deadline(): CommandError {
    const time = formatDuration(this.#options.timeout ?? 0);
    return new CommandError(`nothing came or went for ${time}`, EXIT.deadline);
  }
}
