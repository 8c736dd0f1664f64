import { fstatSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { formatEndpoint } from '../address/format-address.ts';
import type { Channel } from '../channel/channel.ts';
import { type Tap, tapped } from '../channel/tapped-channel.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { FramedChannel } from '../frame/framed-channel.ts';
import type { FrameCodec } from '../frame/frame-codec.ts';
import { hexDump } from '../record/hex-dump.ts';
import { Recorder, readRecording, replay } from '../record/recording.ts';
import type { ConnectOptions } from './connect-options.ts';
import { directInput, directOutput } from './direct-io.ts';
import { fileInput } from './file-input.ts';
import { Output } from './output.ts';
import { pipe } from './pipe.ts';
import { PipeInput } from './pipe-input.ts';
import { jsonLine } from './presenter.ts';
import { converse } from './terminal.ts';
import { widenPipe } from './widen-pipe.ts';

// Arbitrary: how long the reader of stdout may take for the last piece after Ctrl-C.
const LAST_WRITE_MS = 100;

/** How stdin and stdout are joined to a peer, and who looks on. */
export interface StdioOptions extends ConnectOptions {
  readonly frame?: FrameCodec | undefined;
  readonly hex?: boolean | undefined;
  readonly record?: string | undefined;
  /** Sends what a recording has, not stdin. */
  readonly replay?: string | undefined;
}

/** stdin, for one peer or for one after another. */
export type StdioInput = AsyncIterable<Buffer>;

/** @throws CommandError for a stdin that can't be read */
export function openStdin(): StdioInput {
  const status = fstatSync(0);
  // Node reads a directory as if it were empty.
  if (status.isDirectory()) throw new CommandError('cannot read stdin: it is a directory');
  if (process.stdin.isTTY) return process.stdin;
  if (status.isFIFO() || status.isSocket()) return new PipeInput(0);
  return status.isFile() ? fileInput(0) : process.stdin;
}

/** Whether a person sits at both ends of the command. */
export function isInteractive({ json, replay: file, hex }: StdioOptions): boolean {
  const isTerminal = process.stdin.isTTY && process.stdout.isTTY;
  return isTerminal && !json && !hex && file === undefined && process.env['TERM'] !== 'dumb';
}

/** What differs between one peer and the other. */
export interface JoinOptions {
  /** stdin, where it is shared with other peers; opened if omitted. */
  readonly input?: { readonly from: StdioInput; readonly onEnd: () => void } | undefined;
  /** Whether the other side of a datagram socket speaks first. */
  readonly waitsForPeer?: boolean;
  /** What to say once where all is sent and nothing has come for some seconds. */
  readonly onSilence?: (() => string) | undefined;
}

/**
 * Joins stdin and stdout to a peer until both directions have ended.
 *
 * @returns the exit status
 * @throws CommandError with the one line that says what failed
 */
export async function joinStdio(
  channel: Channel,
  options: StdioOptions,
  { input, waitsForPeer = false, onSilence }: JoinOptions = {},
): Promise<number> {
  const name = formatEndpoint(channel.endpoint);
  const pieces = options.replay === undefined ? undefined : readRecording(options.replay);
  using recorder = options.record === undefined ? undefined : new Recorder(options.record, name);
  const watched = tapped(channel, taps(options, recorder));
  const spoken = options.frame === undefined ? watched : new FramedChannel(watched, options.frame);
  if (input === undefined && isInteractive(options)) {
    const { stdin, stdout } = process;
    const greeting = waitsForPeer ? 'lines go to who spoke last' : `connected to ${name}`;
    return await converse(
      { channel: spoken, input: stdin, output: stdout, greeting, onSilence },
      options,
    );
  }
  for (const fd of [0, 1]) widenPipe(fd);
  const output = new Output(1);
  const onInterrupt = (): void => void interrupt(output);
  process.once('SIGINT', onInterrupt);
  try {
    if (options.json) await output.write(jsonLine({ type: 'connected', peer: name }));
    const moveIn = input === undefined ? directInput(spoken, options) : undefined;
    const own = (): StdioInput => (moveIn === undefined ? openStdin() : nothing());
    return await pipe(
      {
        channel: spoken,
        input: pieces === undefined ? (input?.from ?? own()) : replay(pieces),
        moveIn,
        moveOut: directOutput(spoken, options),
        isTyped: pieces === undefined && process.stdin.isTTY,
        output,
        isTerminal: process.stdout.isTTY,
        waitsForPeer,
        onSilence,
        ...(pieces === undefined ? {} : { unit: 'read' as const }),
        ...(input === undefined ? {} : { endsWithPeer: true, onEnd: input.onEnd }),
      },
      options,
    );
  } finally {
    process.off('SIGINT', onInterrupt);
  }
}

async function* nothing(): StdioInput {}

function taps({ hex }: StdioOptions, recorder: Recorder | undefined): Tap[] {
  const dump = hex ? [hexDump((lines) => process.stderr.write(lines))] : [];
  return recorder === undefined ? dump : [...dump, recorder.tap];
}

async function interrupt(output: Output): Promise<void> {
  const isStuck = sleep(LAST_WRITE_MS, true);
  const isDone = output.writing?.then(
    () => false,
    () => false,
  );
  // Node waits at its exit for a write that a full pipe holds up; the signal doesn't.
  if (await Promise.race([isStuck, isDone ?? false])) process.kill(process.pid, 'SIGINT');
  else process.exit(EXIT.interrupted);
}
