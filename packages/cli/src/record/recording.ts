// A recording is a text file, one JSON object a line:
//
//   {"sockeye":"recording","version":1,"address":"tcp://127.0.0.1:8090","started":"2026-01-01T…Z"}
//   {"seconds":0.000412,"direction":"sent","text":"hello\n"}
//   {"seconds":0.001031,"direction":"received","base64":"/wD/"}
//   {"seconds":0.001090,"direction":"received","end":true}
//
// `seconds` counts from `started` on a clock that doesn't jump. Bytes that are UTF-8 are `text`,
// others `base64`; a piece is what one system call sent or received, a datagram where messages are
// kept. `end` is the end of that direction. Bytes are those on the wire, below TLS's encryption and
// with the marks of --frame.
import { closeSync, existsSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs';
import { isUtf8 } from 'node:buffer';
import { setTimeout as pause } from 'node:timers/promises';
import { CommandError } from '../command-error.ts';
import { reasonOf } from '../explain-error.ts';
import type { Direction, Tap } from '../channel/tapped-channel.ts';

const VERSION = 1;

/** A recording that is being written. */
export class Recorder implements Disposable {
  #fd: number;
  #file: string;
  #startedAt = performance.now();

  /** @throws CommandError when the file can't be made; what is there is replaced */
  constructor(file: string, address: string) {
    this.#file = file;
    this.#fd = openFile(file, 'w');
    const started = new Date().toISOString();
    this.#write({ sockeye: 'recording', version: VERSION, address, started });
  }

  /** @throws CommandError when the file can't be made; what is there stays, and nothing new */
  static check(file: string): void {
    const isThere = existsSync(file);
    closeSync(openFile(file, 'a'));
    if (!isThere) rmSync(file, { force: true });
  }

  /** What looks on at a channel. */
  readonly tap: Tap = (direction, data) => {
    const seconds = Number(((performance.now() - this.#startedAt) / 1000).toFixed(6));
    this.#write({ seconds, direction, ...(data === undefined ? { end: true } : dataFields(data)) });
  };

  #write(line: object): void {
    try {
      writeSync(this.#fd, `${JSON.stringify(line)}\n`);
    } catch (error) {
      throw cannotWrite(this.#file, error);
    }
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function openFile(file: string, flags: 'w' | 'a'): number {
  try {
    return openSync(file, flags, 0o600);
  } catch (error) {
    throw cannotWrite(file, error);
  }
}

function cannotWrite(file: string, error: unknown): CommandError {
  return new CommandError(`cannot write --record ${file}: ${reasonOf(error)}`, 1, { cause: error });
}

/** Bytes as fields of a JSON object: `text` where they are UTF-8, else `base64`. */
export function dataFields(data: Uint8Array): { text: string } | { base64: string } {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return isUtf8(bytes) ? { text: bytes.toString() } : { base64: bytes.toString('base64') };
}

/** A piece of a recording. */
export interface Recorded {
  readonly seconds: number;
  readonly direction: Direction;
  /** undefined at the end of the direction. */
  readonly data: Buffer | undefined;
}

/**
 * Reads a recording.
 *
 * @throws CommandError for a file that can't be read, or is none
 */
export function readRecording(file: string): Recorded[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`cannot read --replay ${file}: ${reasonOf(error)}`, 1, {
      cause: error,
    });
  }
  const [head, ...rest] = text.split('\n').filter((line) => line !== '');
  const first = parse(file, 1, head ?? '');
  if (first['sockeye'] !== 'recording' || first['version'] !== VERSION) {
    throw new CommandError(
      `cannot read --replay ${file}: it is no recording of version ${VERSION}`,
    );
  }
  return rest.map((line, index) => recorded(file, index + 2, line));
}

function parse(file: string, number: number, line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw new CommandError(`cannot read --replay ${file}: line ${number} is no JSON object`);
}

function recorded(file: string, number: number, line: string): Recorded {
  const { seconds, direction, text, base64, end } = parse(file, number, line);
  const data =
    typeof text === 'string'
      ? Buffer.from(text)
      : typeof base64 === 'string'
        ? Buffer.from(base64, 'base64')
        : undefined;
  const isDirection = direction === 'sent' || direction === 'received';
  if (typeof seconds !== 'number' || !isDirection || (data === undefined && end !== true)) {
    throw new CommandError(
      `cannot read --replay ${file}: line ${number} is no piece of a recording`,
    );
  }
  return { seconds, direction, data };
}

/** What was sent in a recording, each piece at its time. */
export async function* replay(pieces: readonly Recorded[]): AsyncGenerator<Buffer> {
  const startedAt = performance.now();
  for (const { seconds, direction, data } of pieces) {
    if (direction !== 'sent') continue;
    const waitMs = startedAt + seconds * 1000 - performance.now();
    if (waitMs > 0) await pause(waitMs);
    if (data === undefined) return;
    yield data;
  }
}
