import { randomFillSync } from 'node:crypto';
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
  const { behaviour, greeting, quit } = options;
  const run = sessionOf(behaviour, quit, keepsMessages);
  if (greeting === undefined) return run;
  const hello = greetingBytes(greeting);
  return async (connection) => {
    await connection.sendall(hello);
    await run(connection);
  };
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
      return (connection) => connection.sendall(text);
    }
    case 'random':
      return sendRandom;
    case 'discard':
      return (connection) => discard(connection, quit);
    case 'chat':
      return chatSession(quit);
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
    piece.length === 0 ? Promise.resolve() : connection.sendall(Buffer.concat([prefix, piece]));
  for await (const piece of pieces(connection, options.quit)) {
    await answer(options.keepsMessages ? piece : cutter.push(piece));
  }
  await answer(cutter.end());
}

async function discard(connection: Connection, quit: string | undefined): Promise<void> {
  for await (const _ of pieces(connection, quit));
}

async function sendRandom(connection: Connection): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(RANDOM_BYTES);
  for (;;) await connection.sendall(randomFillSync(bytes));
}
