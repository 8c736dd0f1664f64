import type { Conversation, Session } from '../serve/conversation.ts';
import { MAX_LINE_BYTES, PREAMBLE, readStreamRequest } from './bench-protocol.ts';

const NEWLINE = 0x0a;
// Several small messages leave together, as many as fit.
const SOURCE_BYTES = 64 * 1024;

/**
 * What `bench --serve` does on a conversation: it echoes, unless the first line asks for another mode.
 *
 * @param keepsMessages whether each send is a message of its own
 */
export function benchSession(keepsMessages: boolean): Session {
  return async (conversation) => {
    const head = await firstBytes(conversation);
    const newline = head.indexOf(NEWLINE);
    const line = newline < 0 ? '' : head.subarray(0, newline).toString('latin1');
    const request = readStreamRequest(line);
    if (request === undefined) return await echo(conversation, head);
    if (request.kind === 'source') return await source(conversation, request.size, keepsMessages);
    return await discard(conversation, head.length - newline - 1);
  };
}

/** The first piece; the whole line if it starts like one of ours. Empty at the end. */
async function firstBytes(conversation: Conversation): Promise<Buffer> {
  let head = await conversation.recv();
  while (
    head.length < MAX_LINE_BYTES &&
    head.subarray(0, PREAMBLE.length).toString('latin1') === PREAMBLE &&
    !head.includes(NEWLINE)
  ) {
    const more = await conversation.recv();
    if (more.length === 0) break;
    head = Buffer.concat([head, more]);
  }
  return head;
}

async function echo(conversation: Conversation, head: Buffer): Promise<void> {
  if (head.length === 0) return;
  await conversation.sendall(head);
  for await (const piece of conversation) await conversation.sendall(piece);
}

async function discard(conversation: Conversation, already: number): Promise<void> {
  let bytes = already;
  for await (const piece of conversation) bytes += piece.length;
  await conversation.sendall(Buffer.from(`received ${bytes}\n`));
}

async function source(
  conversation: Conversation,
  size: number,
  keepsMessages: boolean,
): Promise<void> {
  const count = keepsMessages ? 1 : Math.max(Math.floor(SOURCE_BYTES / size), 1);
  const messages = Buffer.alloc(size * count, 'bench');
  for (;;) await conversation.sendall(messages);
}
