import { randomFillSync } from 'node:crypto';
import { usageError } from '../command-error.ts';
import { QuitWord } from '../text/quit-word.ts';
import { greetingBytes } from './greeting-bytes.ts';
import type { ServeOptions } from './serve-options.ts';

/** What a datagram server sends back for a datagram; undefined for nothing. Nothing is kept. */
export type DatagramAnswer = (datagram: Buffer) => Uint8Array | undefined;

/**
 * How a datagram server answers.
 *
 * One datagram gets at most one in return, so that a client may count them. Without connections
 * there is no moment to greet at: who sends an empty datagram gets the greeting.
 */
export function datagramAnswer({ behaviour, greeting, quit }: ServeOptions): DatagramAnswer {
  const answer = answerOf(behaviour);
  const word = quit === undefined ? undefined : new QuitWord(quit);
  const hello = greeting === undefined ? undefined : greetingBytes(greeting);
  return (datagram) => {
    if (datagram.length === 0 && hello !== undefined) return hello;
    // There is no session that a line within a datagram could end: what stands behind it counts.
    return word?.isWord(datagram) ? undefined : answer(datagram);
  };
}

function answerOf(behaviour: ServeOptions['behaviour']): DatagramAnswer {
  switch (behaviour.kind) {
    case 'echo': {
      if (behaviour.prefix === undefined) return (datagram) => datagram;
      const prefix = Buffer.from(behaviour.prefix);
      return (datagram) => Buffer.concat([prefix, datagram]);
    }
    case 'hello': {
      const text = greetingBytes(behaviour.text);
      return () => text;
    }
    case 'random':
      return (datagram) => randomFillSync(Buffer.allocUnsafe(datagram.length));
    case 'discard':
      return () => undefined;
    case 'chat':
      throw usageError('--chat needs connections, which udp:// and unix-dgram:// have not');
    case 'module':
      throw usageError('--module needs connections, which udp:// and unix-dgram:// have not');
    default:
      return behaviour satisfies never;
  }
}
