import { createInterface } from 'node:readline/promises';
import type { Writable } from 'node:stream';

/**
 * Asks for a line on the terminal. Ctrl-C does what it does where nothing is asked: SIGINT.
 *
 * @param echo where the question and what is typed appear
 * @param onInterrupted Ctrl-C was pressed; SIGINT follows
 * @returns undefined where no line came: after Ctrl-C or Ctrl-D
 */
export async function askTerminal(
  question: string,
  echo: Writable,
  onInterrupted?: () => void,
): Promise<string | undefined> {
  const prompt = createInterface({ input: process.stdin, output: echo, terminal: true });
  let isInterrupted = false;
  prompt.once('SIGINT', () => {
    isInterrupted = true;
    prompt.close();
  });
  const closed = new Promise<undefined>((resolve) =>
    prompt.once('close', () => resolve(undefined)),
  );
  const asked = prompt.question(question).catch(() => undefined);
  const answer = await Promise.race([asked, closed]);
  prompt.close();
  if (answer === undefined) process.stderr.write('\n');
  if (isInterrupted) {
    onInterrupted?.();
    process.kill(process.pid, 'SIGINT');
  }
  return answer;
}
