import { CommandError } from '../command-error.ts';
import { formatDuration } from '../duration.ts';
import { errorCode } from '../error-code.ts';
import { EXIT } from '../exit-code.ts';
import { explainError } from '../explain-error.ts';
import { QuitWord } from '../text/quit-word.ts';
import type { ConnectOptions } from './connect-options.ts';
import { IdleClock } from './idle-clock.ts';
import { LastAnswers } from './last-answers.ts';
import type { Output } from './output.ts';
import type { Peer } from './peer.ts';
import { TerminalText } from './terminal-text.ts';

// A datagram a read, as nc, which reads 16 KiB at once.
const DATAGRAM_BYTES = 16 * 1024;
// Arbitrary: how long the peer has for its last answer after the word that ends the session.
const AFTER_QUIT_MS = 2000;

/** What a pipe is between. */
export interface PipeEnds {
  readonly peer: Peer;
  readonly input: AsyncIterable<Buffer> & { readonly isTTY?: boolean };
  readonly output: Output;
  /** Whether `output` is a terminal, which must not get the peer's control characters. */
  readonly isTerminal: boolean;
}

/**
 * Joins stdin and stdout to a peer, each at the pace of its reader. The end of stdin is told to the
 * peer, and the peer's to nobody: each direction goes on until its own end.
 *
 * @returns the exit status
 * @throws CommandError with the one line that says what failed
 */
export function pipe(ends: PipeEnds, options: ConnectOptions): Promise<number> {
  return new Pipe(ends, options).run();
}

class Pipe {
  #ends: PipeEnds;
  #options: ConnectOptions;
  #stop = new AbortController();
  #clock: IdleClock;
  #lastAnswers: LastAnswers;
  #quitTimer: NodeJS.Timeout | undefined;
  #isIdle = false;

  constructor(ends: PipeEnds, options: ConnectOptions) {
    this.#ends = ends;
    this.#options = options;
    this.#clock = new IdleClock(options.timeout, () => this.#onIdle());
    this.#lastAnswers = new LastAnswers(options.timeout, () => this.#stop.abort());
  }

  async run(): Promise<number> {
    try {
      const sending = this.#sendAll();
      sending.catch(() => undefined);
      const receiving = this.#receiveAll();
      // A stream's failure to send waits: what the peer said before it went is still to come.
      const { isConnectionless } = this.#ends.peer;
      await (isConnectionless
        ? Promise.race([receiving, sending.then(() => receiving)])
        : receiving);
      if (!this.#endsWithPeer()) await Promise.race([sending, whenAborted(this.#stop.signal)]);
      return this.#isIdle ? this.#deadline() : EXIT.ok;
    } finally {
      this.#clock[Symbol.dispose]();
      this.#lastAnswers.stop();
      clearTimeout(this.#quitTimer);
    }
  }

  /** With a person at the keyboard a peer that has gone is the end. */
  #endsWithPeer(): boolean {
    return this.#stop.signal.aborted || this.#ends.input.isTTY === true;
  }

  async #sendAll(): Promise<void> {
    const { peer, input } = this.#ends;
    const word = this.#options.quit === undefined ? undefined : new QuitWord(this.#options.quit);
    let hasSent = false;
    for await (const chunk of readable(input)) {
      const end = word?.find(chunk) ?? -1;
      const data = end < 0 ? chunk : chunk.subarray(0, end);
      if (data.length > 0) {
        await this.#send(data);
        hasSent = true;
      }
      if (end >= 0) {
        this.#quitTimer = setTimeout(() => this.#stop.abort(), AFTER_QUIT_MS);
        break;
      }
    }
    if (this.#options.shutdown || this.#quitTimer !== undefined) peer.endSending();
    if (peer.isConnectionless) this.#lastAnswers.ended(hasSent);
  }

  async #send(data: Buffer): Promise<void> {
    const { peer, input } = this.#ends;
    try {
      for (const piece of piecesOf(data, peer, input.isTTY === true)) {
        this.#lastAnswers.sent();
        await peer.send(piece);
        this.#clock.touch();
      }
    } catch (error) {
      throw explainError('send to', peer.endpoint, error);
    }
  }

  async #receiveAll(): Promise<void> {
    const { peer, output, isTerminal } = this.#ends;
    const text = isTerminal ? new TerminalText() : undefined;
    for (;;) {
      const data = await this.#receive();
      if (data === undefined) break;
      this.#clock.touch();
      this.#lastAnswers.received();
      await output.write(text === undefined ? data : Buffer.from(text.push(data)));
    }
    if (text !== undefined) await output.write(Buffer.from(text.end()));
    if (this.#ends.input.isTTY === true && !peer.isConnectionless && !this.#options.quiet) {
      process.stderr.write('sockeye: the peer closed the connection\n');
    }
  }

  /** What came next; undefined at the end, or when nothing more is waited for. */
  async #receive(): Promise<Buffer | undefined> {
    const { peer } = this.#ends;
    const { signal } = this.#stop;
    try {
      return await peer.receive(signal);
    } catch (error) {
      if (signal.aborted) return undefined;
      throw explainError('receive from', peer.endpoint, error);
    }
  }

  /** A reader of stdout that is slow is not the network's silence. */
  #onIdle(): void {
    if (this.#ends.output.writing !== undefined) {
      this.#clock[Symbol.dispose]();
      this.#clock = new IdleClock(this.#options.timeout, () => this.#onIdle());
      return;
    }
    this.#isIdle = !this.#ends.peer.isConnectionless;
    this.#stop.abort();
  }

  #deadline(): never {
    const time = formatDuration(this.#options.timeout ?? 0);
    throw new CommandError(`nothing came or went for ${time}`, EXIT.deadline);
  }
}

async function* readable(input: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
  try {
    yield* input;
  } catch (error) {
    throw new CommandError(`cannot read stdin: ${errorCode(error)}`, EXIT.failed, { cause: error });
  }
}

/** What to send in one go: a datagram a read; a line without its newline where a person types. */
function* piecesOf(data: Buffer, peer: Peer, isTyped: boolean): Iterable<Buffer> {
  if (!peer.keepsMessages) yield data;
  else if (isTyped) yield data.at(-1) === 0x0a ? data.subarray(0, -1) : data;
  else {
    for (let at = 0; at < data.length; at += DATAGRAM_BYTES) {
      yield data.subarray(at, at + DATAGRAM_BYTES);
    }
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
