import { randomFillSync } from 'node:crypto';
import { FramedChannel } from '../frame/framed-channel.ts';
import { QuitWord } from '../text/quit-word.ts';
import { Utf8Cutter } from '../text/utf8-cutter.ts';
import { chatSession } from './chat-session.ts';
import type { Conversation, Session } from './conversation.ts';
import { greetingBytes } from './greeting-bytes.ts';
import type { ServeOptions } from './serve-options.ts';

const RANDOM_BYTES = 64 * 1024;

/**
 * What the server does on each conversation.
 *
 * @param keepsMessages whether each receive is a message of its own, never a part of one
 */
export function makeSession(options: ServeOptions, keepsMessages: boolean): Session {
  const { behaviour, greeting, quit, frame } = options;
  const codec = keepsMessages ? undefined : frame;
  const run = sessionOf(behaviour, quit, keepsMessages || codec !== undefined);
  const hello = greeting === undefined ? undefined : greetingBytes(greeting);
  return async (conversation) => {
    if (codec !== undefined) conversation.channel = new FramedChannel(conversation.channel, codec);
    if (hello !== undefined) await say(conversation, hello);
    await run(conversation);
  };
}

/** A text that ends in a newline, which a frame needs not. */
async function say(conversation: Conversation, text: Buffer): Promise<void> {
  await conversation.sendall(conversation.channel.isFramed ? text.subarray(0, -1) : text);
}

function sessionOf(
  behaviour: ServeOptions['behaviour'],
  quit: string | undefined,
  keepsMessages: boolean,
): Session {
  switch (behaviour.kind) {
    case 'echo': {
      const { prefix } = behaviour;
      if (prefix === undefined) return (conversation) => echo(conversation, quit);
      return (conversation) => reply(conversation, { prefix, quit, keepsMessages });
    }
    case 'hello': {
      const text = greetingBytes(behaviour.text);
      return (conversation) => say(conversation, text);
    }
    case 'random':
      return sendRandom;
    case 'discard':
      return (conversation) => discard(conversation, quit);
    case 'chat':
      return chatSession(quit);
    case 'module':
      return behaviour.module.session;
    default:
      return behaviour satisfies never;
  }
}

/** The pieces of a conversation up to the word that ends it, which two messages don't share. */
async function* pieces(
  conversation: Conversation,
  quit: string | undefined,
): AsyncIterable<Buffer> {
  const { keepsMessages } = conversation.channel;
  let word = quit === undefined ? undefined : new QuitWord(quit);
  for await (const piece of conversation) {
    const end = word?.find(piece) ?? -1;
    if (keepsMessages && quit !== undefined) word = new QuitWord(quit);
    if (end !== 0) yield end < 0 ? piece : piece.subarray(0, end);
    if (end >= 0) return;
  }
}

async function echo(conversation: Conversation, quit: string | undefined): Promise<void> {
  for await (const piece of pieces(conversation, quit)) await conversation.sendall(piece);
}

async function reply(
  conversation: Conversation,
  options: { prefix: string; quit: string | undefined; keepsMessages: boolean },
): Promise<void> {
  const prefix = Buffer.from(options.prefix);
  const cutter = new Utf8Cutter();
  const answer = (piece: Buffer): Promise<void> =>
    piece.length === 0 && !options.keepsMessages
      ? Promise.resolve()
      : conversation.sendall(Buffer.concat([prefix, piece]));
  for await (const piece of pieces(conversation, options.quit)) {
    await answer(options.keepsMessages ? piece : cutter.push(piece));
  }
  if (!options.keepsMessages) await answer(cutter.end());
}

async function discard(conversation: Conversation, quit: string | undefined): Promise<void> {
  for await (const _ of pieces(conversation, quit));
}

async function sendRandom(conversation: Conversation): Promise<void> {
  const bytes = Buffer.allocUnsafeSlow(RANDOM_BYTES);
  for (;;) await conversation.sendall(randomFillSync(bytes));
}
