import { type Command, InvalidArgumentError, Option } from 'commander';
import { parseDuration } from '../duration.ts';
import { FRAME_FORMS, parseFrame } from '../frame/frame-codec.ts';

/** Adds what `connect` and `listen` have in common: how stdin and stdout are joined to a peer. */
export function addStdioFlags(command: Command): Command {
  return command
    .option('--quit <word>', 'end when this word comes from stdin', parseWord)
    .option('--no-shutdown', 'do not tell the peer that stdin has ended')
    .option('--crlf', 'send CR LF for each newline of stdin')
    .addOption(
      new Option('--frame <codec>', `send and show messages: ${FRAME_FORMS}`).argParser(parseFrame),
    )
    .option('--hex', 'show a hex dump of both directions on stderr')
    .option('--record <file>', 'write both directions with their times to this file')
    .option('--replay <file>', 'send what a recording has, at its times, instead of stdin')
    .option('--json', 'print events as JSON objects, one a line, on stdout')
    .option('-q, --quiet', 'print nothing but data and errors');
}

/** Adds --timeout. */
export function addTimeoutFlag(command: Command, description: string): Command {
  return command.option(
    '--timeout <time>',
    `${description}: 10s, 500ms, 5m; a bare number is seconds`,
    parseTimeout,
  );
}

function parseTimeout(text: string): number {
  const ms = parseDuration(text);
  if (ms > 0) return ms;
  throw new InvalidArgumentError('Expected more than 0.');
}

/** A word for `--quit`. */
export function parseWord(text: string): string {
  if (text !== '' && !/[\r\n]/.test(text)) return text;
  throw new InvalidArgumentError('Expected a word without newlines.');
}
