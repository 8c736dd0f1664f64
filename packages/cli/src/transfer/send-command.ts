import { lstatSync } from 'node:fs';
import { type Command, InvalidArgumentError } from 'commander';
import { sendFiles, TransferError } from '@sockeye/net/transfer';
import { CommandError, usageError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { reasonOf } from '../explain-error.ts';
import { V8Mode } from './v8-mode.ts';
import { loadHashes } from './load-hashes.ts';
import { parseSize } from './parse-size.ts';
import {
  listeningText,
  looksLikeAddress,
  reachableText,
  transferAddress,
} from './transfer-address.ts';
import { transferFailure } from './transfer-failure.ts';
import { ReceiptFile } from './receipt-file.ts';
import { SENDER_INTERRUPTED } from './sender-interrupted.ts';
import { TransferReporter } from './transfer-reporter.ts';
import { addSecretFlags, addReportFlags, type ReportFlags } from './transfer-flags.ts';
import {
  type SecretFlags,
  secretWords,
  shownSecret,
  tellNewSecret,
  toldSecret,
} from './transfer-secret.ts';
import { untilInterrupted } from './until-interrupted.ts';

const EXAMPLES = `
Examples:
  sockeye send report.pdf photos/ 192.0.2.7:9000 --secret-file secret
  sockeye send backup.tar 192.0.2.7:9000 --rate 5M --receipt receipt.json
  sockeye send photos/ --listen :9000                     for a receiver that connects

The receiver prints the secret; without --secret-file it is asked for on the terminal.
The same command again goes on where the last one stopped. Exit status: 0 all acknowledged, 1 the
network, the receiver or a file said no, 3 damaged, 4 wrong secret, 130 interrupted.`;

interface Flags extends SecretFlags, ReportFlags {
  readonly listen?: string;
  readonly rate?: number;
  readonly parallel: number;
}

/** Adds `sockeye send`. */
export function addSendCommand(program: Command, hooks: ProgramHooks): void {
  const command = program
    .command('send')
    .summary('send files and directories: whole, verified, resumable')
    .description('Sends files and directories to a `sockeye receive`.')
    .argument('<path...>', 'files and directories, then the address of the receiver')
    .option('--listen <address>', 'wait here for the receiver instead')
    .option('--rate <bytes>', 'at most so many bytes a second: 500k, 10M', parseSize)
    .option('--parallel <n>', 'files at the same time, 1 to 64', parseParallel, 4);
  addSecretFlags(command);
  addReportFlags(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (words: string[], flags: Flags) => hooks.finish(await send(words, flags)));
}

function parseParallel(text: string): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= 1 && number <= 64) return number;
  throw new InvalidArgumentError('Expected a number from 1 to 64.');
}

async function send(words: readonly string[], flags: Flags): Promise<number> {
  const { listen } = flags;
  const paths = listen === undefined ? words.slice(0, -1) : words;
  if (paths.length === 0)
    throw usageError('a path or the address is missing: expected PATH… ADDRESS');
  const address = transferAddress(
    listen ?? (words.at(-1) as string),
    listen === undefined ? 'client' : 'server',
  );
  checkPaths(paths, listen);
  const receiptFile = flags.receipt === undefined ? undefined : new ReceiptFile(flags.receipt);
  const reporter = new TransferReporter(flags);
  const v8 = new V8Mode();
  const shown = listen === undefined ? undefined : shownSecret(flags);
  const secret = shown === undefined ? await toldSecret(flags) : shown.secret;
  const abort = new AbortController();
  let interruptedWith: number | undefined;
  try {
    const receipt = await untilInterrupted(
      () =>
        sendFiles(paths, address, {
          ...(secret === undefined ? { insecure: true } : { secret }),
          dialling: listen === undefined ? 'connect' : 'listen',
          parallel: flags.parallel,
          bytesPerSecond: flags.rate,
          hashes: loadHashes(),
          signal: abort.signal,
          onEvent(event) {
            v8.tell(event);
            reporter.tell(event);
            if (event.type === 'offer') reporter.wait('waiting for the other side to accept');
          },
          onEntry: (entry) => receiptFile?.add(entry, ''),
          onListening(at) {
            process.stderr.write(`listening on ${listeningText(at)}\n`);
            const how = `${reachableText(at)}${secretWords(flags)}`;
            reporter.say(`on the other side: sockeye receive DIR ${how}`);
            tellNewSecret(shown, reporter);
          },
        }),
      (status) => {
        interruptedWith = status;
        abort.abort(new TransferError('cancelled', SENDER_INTERRUPTED));
      },
    );
    receiptFile?.write(receipt, '');
    return receipt.complete ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (interruptedWith !== undefined) {
      throw new CommandError('interrupted; the same command again goes on', interruptedWith);
    }
    throw transferFailure(actionOf(error, words, listen), error);
  } finally {
    reporter.clear();
  }
}

/** What can't be sent is told before a secret is asked for. */
function checkPaths(paths: readonly string[], listen: string | undefined): void {
  for (const path of paths) {
    try {
      lstatSync(path);
    } catch (error) {
      if (listen !== undefined && path === paths.at(-1) && looksLikeAddress(path)) {
        throw usageError(`--listen and an address exclude each other: there is no file ${path}`);
      }
      throw new CommandError(`cannot send ${path}: ${reasonOf(error)}`, undefined, {
        cause: error,
      });
    }
  }
}

/** What failed: reading a file, or reaching the receiver. */
function actionOf(error: unknown, words: readonly string[], listen: string | undefined): string {
  const { path } = error as NodeJS.ErrnoException;
  if (path !== undefined) return `send ${path}`;
  return listen === undefined ? `send to ${words.at(-1)}` : `listen on ${listen}`;
}
