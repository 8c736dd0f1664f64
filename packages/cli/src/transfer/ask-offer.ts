import type { Decide } from '@sockeye/net/transfer';
import { formatCount } from '../bench/format-quantity.ts';
import { escapeText } from '../text/escape-text.ts';
import { askTerminal } from './ask-terminal.ts';
import { entriesText } from './entries-text.ts';

/**
 * Asks on the terminal whether to take an offer, one offer after the other.
 *
 * @param onInterrupted Ctrl-C was the answer; SIGINT follows
 */
export function askOffer(onInterrupted: () => void): Decide {
  let last: Promise<unknown> = Promise.resolve();
  return (offer) => {
    const answer = last.then(() => ask(questionFor(offer), onInterrupted));
    last = answer.catch(() => undefined);
    return answer;
  };
}

function questionFor({ peer, entries, bytes, names }: Parameters<Decide>[0]): string {
  const list = names.map((name) => `  ${escapeText(name, { keep: '' })}\n`).join('');
  const what = `${entriesText(entries)}, ${formatCount(bytes)} bytes`;
  return `${escapeText(peer, { keep: '' })} offers ${what}:\n${list}take them? [y/N] `;
}

/** Only a yes is one; who is interrupted or ends the input has declined. */
async function ask(question: string, onInterrupted: () => void): Promise<boolean> {
  const answer = await askTerminal(question, process.stderr, onInterrupted);
  return /^\s*y(es)?\s*$/i.test(answer ?? '');
}
