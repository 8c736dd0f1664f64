import type { Address, Socket } from '@sockeye/net';
import { type RecordedConversation, Recorder } from '@sockeye/net/capture';
import type { Transport } from '../address/address.ts';
import { formatAddress } from '../address/format-address.ts';
import type { Direction, Tap } from '../channel/tapped-channel.ts';
import { reasonOf } from '../explain-error.ts';
import { CommandError } from '../command-error.ts';
import { hexDump } from '../record/hex-dump.ts';
import { counted } from '../text/counted.ts';
import { recordedPath } from './recorded-path.ts';

/** Between whom a conversation is. */
export interface ConversationPath {
  readonly transport: Transport;
  readonly local: Address | null;
  readonly remote: Address | null;
  /** Of a connection: what the kernel is asked about for the recording. */
  readonly socket?: Socket<number> | undefined;
}

export interface ObserverOptions {
  /** A dump of what every client and the server say, on stderr. */
  readonly hex?: boolean | undefined;
  /** The same as packets, in this file. */
  readonly record?: string | undefined;
}

/** Who looks on at one connection. */
export interface Watch {
  readonly taps: readonly Tap[];
  /** It is over; `reason` says why unless both sides had said all. */
  ended(reason: string | undefined): void;
}

// A recorded UDP packet holds what IPv4 has room for; a Unix datagram may be longer.
const MAX_DATAGRAM_BYTES = 65_507;

const toStderr = (lines: string): void => void process.stderr.write(lines);

/** Who looks on at a server's conversations: `--hex` and `--record`. */
export class Observer implements AsyncDisposable {
  #isHex: boolean;
  #file: string | undefined;
  #recorder: Recorder | undefined;
  #open = new Set<RecordedConversation>();

  constructor({ hex = false, record }: ObserverOptions) {
    this.#isHex = hex;
    this.#file = record;
  }

  /**
   * Begins the file; before this nothing is recorded.
   *
   * @throws CommandError when the file can't be made; what is there is replaced
   */
  async start(): Promise<void> {
    if (this.#file === undefined) return;
    try {
      this.#recorder = await Recorder.create(this.#file);
    } catch (error) {
      throw cannotWrite(this.#file, error);
    }
  }

  /** What looks on at a connection that has begun; undefined where nobody does. */
  watch(path: ConversationPath): Watch | undefined {
    if (!this.#isHex && this.#recorder === undefined) return undefined;
    const taps: Tap[] = [];
    if (this.#isHex) taps.push(hexDump(toStderr, label(path)));
    const conversation = this.#recorder?.conversation(recordedPath(path));
    if (conversation === undefined) return { taps, ended: () => undefined };
    this.#open.add(conversation);
    let first: 'local' | 'remote' = 'local';
    const isOver = new Set<Direction>();
    taps.push((direction, data) => {
      const end = direction === 'sent' ? 'local' : 'remote';
      if (data === undefined) {
        if (isOver.size === 0) first = end;
        isOver.add(direction);
        conversation.ended(end);
      } else if (direction === 'sent') conversation.sent(data);
      else conversation.received(data);
    });
    return {
      taps,
      ended: (reason) => {
        this.#open.delete(conversation);
        const isReset = reason?.includes('ECONNRESET') === true;
        if (isReset) conversation.closed('remote', 'reset');
        else conversation.closed(first);
      },
    };
  }

  /** A datagram came, or went. */
  datagram(direction: Direction, data: Uint8Array, path: ConversationPath): void {
    if (this.#isHex) hexDump(toStderr, label(path))(direction, data);
    if (this.#recorder === undefined) return;
    const conversation = this.#recorder.conversation(recordedPath(path));
    for (let at = 0; at === 0 || at < data.length; at += MAX_DATAGRAM_BYTES) {
      const piece = data.subarray(at, at + MAX_DATAGRAM_BYTES);
      if (direction === 'sent') conversation.sent(piece);
      else conversation.received(piece);
    }
  }

  /**
   * Writes the ends of what is still open, and closes the file.
   *
   * @throws CommandError when something could not be written, now or before
   */
  async [Symbol.asyncDispose](): Promise<void> {
    const recorder = this.#recorder;
    this.#recorder = undefined;
    if (recorder === undefined) return;
    for (const conversation of this.#open) conversation.closed('local');
    try {
      await recorder.close();
    } catch (error) {
      throw cannotWrite(this.#file, error);
    }
    if (recorder.dropped > 0) {
      process.stderr.write(
        `sockeye: ${this.#file} lacks ${counted(recorder.dropped, 'packet')}: the disk was too slow\n`,
      );
    }
  }
}

function label({ transport, remote }: ConversationPath): string {
  return `${formatAddress(transport, remote)} `;
}

function cannotWrite(file: string | undefined, error: unknown): CommandError {
  return new CommandError(`cannot write --record ${file}: ${reasonOf(error)}`, 1, {
    cause: error,
  });
}
