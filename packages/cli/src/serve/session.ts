import { randomFillSync } from 'node:crypto';
import { FramedChannel } from '../frame/framed-channel.ts';
import { QuitWord } from '../text/quit-word.ts';
import { Utf8Cutter } from '../text/utf8-cutter.ts';
import { chatSession } from './chat-session.ts';
import type { Connection } from './connection.ts';
import { greetingBytes } from './greeting-bytes.ts';
import type { ServeOptions } from './serve-options.ts';
import type { Session } from './stream-server.ts';

const RANDOM_BYTES = 64 * 1024;

/**
 * What the server does on each connection.
 *
 * @param keepsMessages whether each receive is a message of its own, never a part of one
 */
export function makeSession(options: ServeOptions, keepsMessages: boolean): Session {
  const { behaviour, greeting, quit, frame } = options;
  const codec = keepsMessages ? undefined : frame;
  const run = sessionOf(behaviour, quit, keepsMessages || codec !== undefined);
  const hello = greeting === undefined ? undefined : greetingBytes(greeting);
  return async (connection) => {
    if (codec !== undefined) connection.channel = new FramedChannel(connection.channel, codec);
    if (hello !== undefined) await say(connection, hello);
    await run(connection);
  };
}

/** A text that ends in a newline, which a frame needs not. */
async function say(connection: Connection, text: Buffer): Promise<void> {
  await connection.sendall(connection.channel.isFramed ? text.subarray(0, -1) : text);
}

function sessionOf(
  behaviour: ServeOptions['behaviour'],
  quit: string | undefined,
  keepsMessages: boolean,
): Session {
  switch (behaviour.kind) {
    case 'echo': {
      const { prefix } = behaviour;
      if (prefix === undefined) return (connection) => echo(connection, quit);
      return (connection) => reply(connection, { prefix, quit, keepsMessages });
    }
    case 'hello': {
      const text = greetingBytes(behaviour.text);
      return (connection) => say(connection, text);
    }
    case 'random':
      return sendRandom;
    case 'discard':
      return (connection) => discard(connection, quit);
    case 'chat':
      return chatSession(quit);
    case 'module':
      return behaviour.module.session;
    default:
      return behaviour satisfies never;
  }
}

/** The pieces of a connection up to the word that ends it. */
async function* pieces(connection: Connection, quit: string | undefined): AsyncIterable<Buffer> {
  const word = quit === undefined ? undefined : new QuitWord(quit);
  for await (const piece of connection) {
    const end = word?.find(piece) ?? -1;
    if (end !== 0) yield end < 0 ? piece : piece.subarray(0, end);
    if (end >= 0) return;
  }
}

async function echo(connection: Connection, quit: string | undefined): Promise<void> {
  for await (const piece of pieces(connection, quit)) await connection.sendall(piece);
}

async function reply(
  connection: Connection,
  options: { prefix: string; quit: string | undefined; keepsMessages: boolean },
): Promise<void> {
  const prefix = Buffer.from(options.prefix);
  const cutter = new Utf8Cutter();
  const answer = (piece: Buffer): Promise<void> =>
    piece.length === 0 && !options.keepsMessages
      ? Promise.resolve()
      : connection.sendall(Buffer.concat([prefix, piece]));
  for await (const piece of pieces(connection, options.quit)) {
    await answer(options.keepsMessages ? piece : cutter.push(piece));
  }
  if (!options.keepsMessages) await answer(cutter.end());
}

async function discard(connection: Connection, quit: string | undefined): Promise<void> {
  for await (const _ of pieces(connection, quit));
}

async function sendRandom(connection: Connection): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(RANDOM_BYTES);
  for (;;) await connection.sendall(randomFillSync(bytes));
}
