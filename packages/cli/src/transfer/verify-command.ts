import { readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Command } from 'commander';
import { type TransferReceipt, type VerifiedEntry, verifyReceipt } from '@sockeye/net/transfer';
import { formatCount } from '../bench/format-quantity.ts';
import { reasonOf } from '../explain-error.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { escapeText } from '../text/escape-text.ts';
import { loadHashes } from './load-hashes.ts';
import { TRANSFER_EXIT } from './transfer-exit.ts';
import { transferFailure } from './transfer-failure.ts';

const EXAMPLES = `
Examples:
  sockeye verify receipt.json inbox          is everything as it arrived?
  sockeye verify receipt.json . --json       one object a file

Only what the receipt names is looked at: other files in the directory are not.
Exit status: 0 everything is the same, 3 something differs, is missing or never arrived.`;

interface Flags {
  readonly json: boolean;
  readonly quiet: boolean;
}

/** Adds `sockeye verify`. */
export function addVerifyCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('verify')
    .summary('compare a directory with the receipt of a transfer, offline')
    .description('Reads every file of a receipt again and compares its hash.')
    .argument('<receipt>', 'what --receipt wrote, on either side')
    .argument('<dir>', 'where the files are')
    .option('--json', 'print what was found as JSON objects, one a line, on stdout', false)
    .option('-q, --quiet', 'print nothing, the exit status tells', false)
    .addHelpText('after', EXAMPLES)
    .action(async (path: string, dir: string, flags: Flags) =>
      hooks.finish(await verify(path, dir, flags)),
    );
}

async function verify(path: string, dir: string, { json, quiet }: Flags): Promise<number> {
  const receipt = readReceipt(path);
  try {
    const { ok, entries } = await verifyReceipt(receipt, dir, {
      hashes: loadHashes(),
      onEntry({ path: names, state, text }) {
        const name = names.join('/');
        if (json) process.stdout.write(`${JSON.stringify({ name, state, text })}\n`);
        else if (state !== 'same' && !quiet) {
          process.stdout.write(`${state} ${escapeText(`${name}: ${text ?? ''}`, { keep: '' })}\n`);
        }
      },
    });
    if (!quiet && !json) {
      if (!receipt.complete)
        process.stdout.write('incomplete: not all that was offered has come, the receipt says\n');
      const hint = hintOf(entries, path, dir);
      if (hint !== undefined) process.stdout.write(`${escapeText(hint, { keep: '' })}\n`);
      process.stdout.write(`${summaryOf(entries)}; other files were not looked at\n`);
    }
    return ok ? EXIT.ok : TRANSFER_EXIT.integrity;
  } catch (error) {
    throw transferFailure(`verify ${path} in ${dir}`, error);
  }
}

/** How many are the same, or `3 of 5 differ: 1 different, 2 missing`. */
function summaryOf(entries: readonly VerifiedEntry[]): string {
  const counts = new Map<VerifiedEntry['state'], number>();
  for (const { state } of entries) counts.set(state, (counts.get(state) ?? 0) + 1);
  const same = counts.get('same') ?? 0;
  const all = formatCount(entries.length);
  if (same === entries.length) return `${all} are the same`;
  counts.delete('same');
  const parts = [...counts].map(([state, count]) => `${formatCount(count)} ${state}`);
  return `${formatCount(entries.length - same)} of ${all} differ: ${parts.join(', ')}`;
}

/** Where the directory is one of those that the receipt names, the one above it was meant. */
function hintOf(
  entries: readonly VerifiedEntry[],
  receipt: string,
  dir: string,
): string | undefined {
  const name = basename(resolve(dir));
  const isBelow = entries.some(({ path }) => path[0] === name);
  if (!isBelow || entries.some(({ state }) => state !== 'missing')) return undefined;
  return `the receipt begins with ${name} itself; try: sockeye verify ${receipt} ${join(dir, '..')}`;
}

function readReceipt(path: string): TransferReceipt {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as TransferReceipt;
  } catch (error) {
    const reason = error instanceof SyntaxError ? 'it is not JSON' : reasonOf(error);
    throw new CommandError(`cannot read the receipt ${path}: ${reason}`, undefined, {
      cause: error,
    });
  }
}
