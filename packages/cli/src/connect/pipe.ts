import { TlsTruncatedError } from '@sockeye/net';
import { ProtocolError } from '@sockeye/net/codec';
import type { Channel } from '../channel/channel.ts';
import { CommandError } from '../command-error.ts';
import { formatDuration } from '../duration.ts';
import { errorCode } from '../error-code.ts';
import { EXIT } from '../exit-code.ts';
import { explainError, reasonOf } from '../explain-error.ts';
import { QuitWord } from '../text/quit-word.ts';
import type { ConnectOptions } from './connect-options.ts';
import type { Move } from './direct-io.ts';
import { IdleClock } from './idle-clock.ts';
import { LastAnswers } from './last-answers.ts';
import type { Output } from './output.ts';
import { Outgoing, type SendUnit } from './outgoing.ts';
import { jsonLine, presenter } from './presenter.ts';
import { SilenceHint } from './silence-hint.ts';

// Each write costs a change of threads, whatever its size.
const RECEIVE_BYTES = 256 * 1024;
// Arbitrary: how long the peer has for its last answer after the word that ends the session.
const AFTER_QUIT_MS = 2000;
// Arbitrary: without a datagram for so long, who waited for the first takes the last one for it.
const AFTER_LAST_DATAGRAM_MS = 5000;

// What a codec throws for a message that its format can't carry; the system's errors are others.
const NOT_SENDABLE = [ProtocolError, RangeError, SyntaxError, TypeError] as const;

/** What a pipe is between. */
export interface PipeEnds {
  readonly channel: Channel;
  readonly input: AsyncIterable<Buffer>;
  /** Moves stdin to the peer, and the peer's bytes to stdout, where nothing has to look at them. */
  readonly moveIn?: Move | undefined;
  readonly moveOut?: Move | undefined;
  /** Whether a person types the input: then a peer that has gone is the end. */
  readonly isTyped: boolean;
  /** What one send takes; what the channel suggests if omitted. */
  readonly unit?: SendUnit;
  readonly output: Output;
  /** Whether `output` is a terminal, which must not get the peer's control characters. */
  readonly isTerminal: boolean;
  /** Whether the other side speaks first, of datagrams: what is sent waits for it. */
  readonly waitsForPeer?: boolean;
  /** Ends when the peer has ended its side, whatever stdin still has. */
  readonly endsWithPeer?: boolean;
  /** What to say once where all is sent and nothing has come for some seconds. */
  readonly onSilence?: (() => string) | undefined;
  /** Gives what is left of the input up. */
  readonly onEnd?: () => void;
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
  #silence: SilenceHint;
  #hasSentAll = false;
  /** How many the channel has taken. */
  #messages = 0;
  /** Whether it is the input that can't be read or sent, not the peer that doesn't take it. */
  #isOwnFailure = false;

  constructor(ends: PipeEnds, options: ConnectOptions) {
    this.#ends = ends;
    this.#options = options;
    this.#clock = new IdleClock(options.timeout, () => this.#onIdle());
    const { onSilence, waitsForPeer } = ends;
    this.#silence = new SilenceHint(
      onSilence && (() => process.stderr.write(`sockeye: ${onSilence()}\n`)),
    );
    const quietMs = options.timeout ?? (waitsForPeer ? AFTER_LAST_DATAGRAM_MS : undefined);
    this.#lastAnswers = new LastAnswers(quietMs, () => this.#stop.abort());
  }

  async run(): Promise<number> {
    try {
      const sending = this.#sendAll();
      sending.catch(() => undefined);
      const receiving = this.#receiveAll().catch((error: unknown) =>
        this.#cutShort(error, sending),
      );
      await Promise.race([
        receiving,
        this.#unlessRefused(sending, receiving).then(() => receiving),
      ]);
      if (this.#isOwnFailure) await sending;
      if (!this.#endsWithPeer()) await Promise.race([sending, whenAborted(this.#stop.signal)]);
      return this.#isIdle ? this.#deadline() : EXIT.ok;
    } finally {
      this.#clock[Symbol.dispose]();
      this.#lastAnswers.stop();
      clearTimeout(this.#quitTimer);
      this.#silence.stop();
      this.#ends.onEnd?.();
    }
  }

  /**
   * A stream's failure to send waits: what the peer said before it went is still to come. What can't
   * be sent at all is no peer's doing, and nobody would end the conversation.
   */
  async #unlessRefused(sending: Promise<void>, receiving: Promise<void>): Promise<void> {
    try {
      await sending;
    } catch (error) {
      const { channel } = this.#ends;
      if (channel.isConnectionless) throw error;
      if (!this.#isOwnFailure) return;
      // What was sent before may have answers yet.
      this.#quitTimer = setTimeout(() => this.#stop.abort(), AFTER_QUIT_MS);
      if (this.#options.shutdown) await channel.endSending().catch(() => undefined);
      await receiving.catch(() => undefined);
      throw error;
    }
  }

  /**
   * A peer of TLS that ends without close_notify may have ended its own side only: as without TLS,
   * what stdin has goes on its way before the failure is told.
   */
  async #cutShort(error: unknown, sending: Promise<void>): Promise<never> {
    const isEnd = error instanceof CommandError && error.cause instanceof TlsTruncatedError;
    if (isEnd && !this.#endsWithPeer()) {
      await Promise.race([sending, whenAborted(this.#stop.signal)]).catch(() => undefined);
    }
    throw error;
  }

  /** With a person at the keyboard a peer that has gone is the end. */
  #endsWithPeer(): boolean {
    return this.#stop.signal.aborted || this.#ends.isTyped || this.#ends.endsWithPeer === true;
  }

  async #sendAll(): Promise<void> {
    const { channel, input, moveIn } = this.#ends;
    const word = this.#options.quit === undefined ? undefined : new QuitWord(this.#options.quit);
    const outgoing = new Outgoing({ unit: this.#unit(), crlf: this.#options.crlf ?? false });
    let hasSent = false;
    if (moveIn !== undefined) {
      await this.#move(moveIn, 'send to', () => {
        hasSent = true;
      });
    }
    for await (const chunk of this.#readable(input)) {
      const end = word?.find(chunk) ?? -1;
      const data = end < 0 ? chunk : chunk.subarray(0, end);
      if (data.length > 0) {
        await this.#send(outgoing.push(data));
        hasSent = true;
      }
      if (end >= 0) {
        this.#quitTimer = setTimeout(() => this.#stop.abort(), AFTER_QUIT_MS);
        break;
      }
    }
    await this.#send(outgoing.end());
    this.#hasSentAll = true;
    if (hasSent) this.#silence.sent();
    const { isConnectionless } = channel;
    if (this.#options.shutdown || this.#quitTimer !== undefined || isConnectionless) {
      await channel.endSending();
    }
    if (isConnectionless) this.#lastAnswers.ended(hasSent || this.#ends.waitsForPeer === true);
  }

  /** A datagram a line where a person types, else a datagram a read. */
  #unit(): SendUnit {
    const { channel, isTyped, unit } = this.#ends;
    if (unit !== undefined) return unit;
    if (!channel.keepsMessages) return 'read';
    return isTyped || channel.isFramed ? 'line' : 'datagram';
  }

  async #send(pieces: Iterable<Buffer>): Promise<void> {
    const { channel } = this.#ends;
    try {
      for (const piece of pieces) {
        this.#lastAnswers.sent();
        await channel.send(piece);
        this.#messages += 1;
        this.#clock.touch();
      }
    } catch (error) {
      this.#isOwnFailure = NOT_SENDABLE.some((type) => error instanceof type);
      if (error instanceof CommandError) throw error;
      if (this.#isOwnFailure && channel.format !== undefined) {
        const reason = reasonOf(error).replace(/^Cannot (encode frame|send message): /, '');
        const message = `message ${this.#messages + 1} of the input can't be sent as ${channel.format}: ${reason}`;
        throw new CommandError(message, EXIT.failed, { cause: error });
      }
      throw explainError('send to', channel.endpoint, error);
    }
  }

  async #receiveAll(): Promise<void> {
    const { channel, isTyped, moveOut } = this.#ends;
    await (moveOut === undefined
      ? this.#showAll()
      : this.#move(moveOut, 'receive from', () => this.#silence.stop()));
    if (isTyped && !channel.isConnectionless && !this.#options.quiet) {
      process.stderr.write('sockeye: the peer closed the connection\n');
    }
  }

  /** One piece is written while the next one is received. */
  async #showAll(): Promise<void> {
    const { channel, output, isTerminal } = this.#ends;
    const { json = false } = this.#options;
    const shown = presenter(channel, isTerminal, json);
    const source = this.#source(isTerminal || json);
    let writing = Promise.resolve();
    for (;;) {
      const data = await this.#receive(source);
      await writing;
      if (data === undefined) break;
      this.#silence.stop();
      this.#clock.touch();
      this.#lastAnswers.received();
      writing = output.write(shown.show(data));
      // It is told by the next turn's await; who has nothing to receive until then is woken.
      writing.catch(() => this.#stop.abort());
    }
    await output.write(shown.end());
    if (json) await output.write(jsonLine({ type: 'ended' }));
  }

  /** Moves one direction within the kernel. Nothing is thrown for a wait that was given up. */
  async #move(move: Move, action: 'send to' | 'receive from', onMoved: () => void): Promise<void> {
    const { signal } = this.#stop;
    try {
      const moved = (bytes: number): void => {
        this.#clock.touch();
        if (bytes > 0) onMoved();
      };
      await move(moved, signal);
    } catch (error) {
      if (signal.aborted) return;
      if (action === 'receive from' && errorCode(error) === 'EPIPE') {
        throw new CommandError('', EXIT.brokenPipe, { cause: error });
      }
      throw explainError(action, this.#ends.channel.endpoint, error);
    }
  }

  async *#readable(input: AsyncIterable<Buffer>): AsyncIterable<Buffer> {
    try {
      yield* input;
    } catch (error) {
      this.#isOwnFailure = true;
      const message = `cannot read stdin: ${reasonOf(error)}`;
      throw new CommandError(message, EXIT.failed, { cause: error });
    }
  }

  /** What receives the next piece: into two buffers in turn where nobody keeps it. */
  #source(isShown: boolean): () => Promise<Buffer | undefined> {
    const { channel } = this.#ends;
    const { signal } = this.#stop;
    if (isShown || channel.keepsMessages || channel.receiveInto === undefined) {
      return () => channel.receive(signal);
    }
    const buffers = [0, 1].map(() => Buffer.allocUnsafeSlow(RECEIVE_BYTES)) as [Buffer, Buffer];
    return async () => {
      const [buffer, other] = buffers;
      buffers[0] = other;
      buffers[1] = buffer;
      const bytes = await channel.receiveInto?.(buffer, signal);
      return bytes === undefined ? undefined : buffer.subarray(0, bytes);
    };
  }

  /** What came next; undefined at the end, or when nothing more is waited for. */
  async #receive(source: () => Promise<Buffer | undefined>): Promise<Buffer | undefined> {
    const { channel } = this.#ends;
    const { signal } = this.#stop;
    try {
      return await source();
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof CommandError) throw error;
      throw explainError('receive from', channel.endpoint, error);
    }
  }

  /** A reader of stdout that is slow is not the network's silence. */
  #onIdle(): void {
    if (this.#ends.output.writing !== undefined) {
      this.#clock[Symbol.dispose]();
      this.#clock = new IdleClock(this.#options.timeout, () => this.#onIdle());
      return;
    }
    // Datagrams have no end but silence, once everything is sent.
    this.#isIdle = !this.#ends.channel.isConnectionless || !this.#hasSentAll;
    this.#stop.abort();
  }

  #deadline(): never {
    const time = formatDuration(this.#options.timeout ?? 0);
    throw new CommandError(`nothing came or went for ${time}`, EXIT.deadline);
  }
}

function whenAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
