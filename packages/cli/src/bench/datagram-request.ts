import { setTimeout as sleep } from 'node:timers/promises';
import type { Socket } from '@sockeye/net';
import { PREAMBLE } from './bench-protocol.ts';

const ANSWER_BYTES = 256;
const REPEAT_MS = 100;

/**
 * Asks a server of ours something, again and again until the answer comes.
 *
 * @param what the request without its first word
 * @param expected what the answer looks like; other datagrams are passed over
 * @returns the match; undefined when no answer came within `timeoutMs`
 * @throws SocketError ECONNREFUSED, …
 */
export async function datagramRequest(
  socket: Socket<number>,
  what: string,
  { expected, timeoutMs }: { expected: RegExp; timeoutMs: number },
): Promise<RegExpExecArray | undefined> {
  const stop = AbortSignal.timeout(timeoutMs);
  const done = new AbortController();
  const signal = AbortSignal.any([stop, done.signal]);
  const asking = ask(socket, `${PREAMBLE}${what}`, signal);
  // It only ends when the other does, or with the error that the other gets as well.
  asking.catch(() => undefined);
  try {
    for (;;) {
      const data = await socket.recv(ANSWER_BYTES, 0, { signal });
      const found = expected.exec(data.toString('latin1'));
      if (found !== null) return found;
    }
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  } finally {
    done.abort();
  }
}

async function ask(socket: Socket<number>, line: string, signal: AbortSignal): Promise<void> {
  const request = Buffer.from(line);
  while (!signal.aborted) {
    await socket.send(request, 0, { signal });
    await sleep(REPEAT_MS, undefined, { signal });
  }
}

/**
 * Shows the server that we get what it sends to our address.
 *
 * @returns the cookie that stands for it
 * @throws Error when nobody answers
 */
export async function datagramCookie(socket: Socket<number>, timeoutMs: number): Promise<string> {
  const expected = /^sockeye-bench cookie ([0-9a-f]{16})$/;
  const found = await datagramRequest(socket, 'hello', { expected, timeoutMs });
  if (found?.[1] !== undefined) return found[1];
  throw new Error('no answer; this mode needs "sockeye bench --serve" on the other side');
}
