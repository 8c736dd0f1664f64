import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { type Command, Option } from 'commander';
import {
  type Decide,
  type Existing,
  type FileReceiver,
  receiveFiles,
  type ReceiveOptions,
} from '@sockeye/net/transfer';
import { CommandError, usageError } from '../command-error.ts';
import { parseDuration } from '../duration.ts';
import { EXIT } from '../exit-code.ts';
import { reasonOf } from '../explain-error.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { durationOption, parseCount } from '../serve/server-flags.ts';
import { askOffer } from './ask-offer.ts';
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
import { addReportFlags, addSecretFlags, type ReportFlags } from './transfer-flags.ts';
import { ReceiptFile } from './receipt-file.ts';
import { TransferReporter } from './transfer-reporter.ts';
import {
  type SecretFlags,
  secretWords,
  shownSecret,
  tellNewSecret,
  toldSecret,
} from './transfer-secret.ts';
import { SIGNALS, untilInterrupted } from './until-interrupted.ts';

// The kernel chooses the port; on loopback unless told otherwise.
const DEFAULT_ADDRESS = '127.0.0.1:0';
const DRAIN_MS = 5_000;
const IDLE_MS = 60_000;

const EXAMPLES = `
Examples:
  sockeye receive inbox --listen :9000                     prints the line for the other side
  sockeye receive inbox --listen :9000 --secret-file secret --yes    for a service
  sockeye receive inbox 192.0.2.7:9000                     from a sender that listens

Files appear under their names when they are whole and verified, never before. Nothing that is
there is touched without --overwrite or --append; a file that is the same counts as done.
SIGINT or SIGTERM: no new senders, running transfers get --drain, then it ends with 0; Ctrl-C
where it asks ends it with 130.`;

interface Flags extends SecretFlags, ReportFlags {
  readonly listen?: string;
  readonly connect?: string;
  readonly yes: boolean;
  readonly once: boolean;
  readonly overwrite?: boolean;
  readonly append?: boolean;
  readonly maxBytes?: number;
  readonly maxFileBytes?: number;
  readonly maxEntries?: number;
  readonly maxConnections: number;
  readonly idleTimeout: number;
  readonly drain: number;
  readonly portFile?: string;
}

/** Adds `sockeye receive`. */
export function addReceiveCommand(program: Command, hooks: ProgramHooks): void {
  const command = program
    .command('receive')
    .summary('receive files and directories: whole, verified, resumable')
    .description('Receives files and directories from a `sockeye send`.')
    .argument('[dir]', 'where they go', '.')
    .argument('[address]', 'a sender that listens')
    .option('--listen <address>', `where to wait for senders (default: ${DEFAULT_ADDRESS})`)
    .option('--connect <address>', 'a sender that listens')
    .option('-y, --yes', 'take every offer without asking, as where there is no terminal', false)
    .option('--once', 'end after the first transfer that ran to its end', false)
    .addOption(new Option('--overwrite', 'replace files that differ').conflicts('append'))
    .option('--append', 'complete files that are beginnings of what is sent')
    .option('--max-bytes <bytes>', 'bytes of one transfer: 500M, 10G', parseSize)
    .option('--max-file-bytes <bytes>', 'bytes of one file', parseSize)
    .option('--max-entries <n>', 'files and directories of one transfer', parseCount)
    .option('--max-connections <n>', 'transfers at once', parseCount, 16)
    .addOption(durationOption('--idle-timeout', 'without a byte', IDLE_MS, parseDuration))
    .addOption(
      durationOption('--drain', 'for running transfers at the end', DRAIN_MS, parseDuration),
    )
    .option('--port-file <file>', 'write the port here once it listens');
  addSecretFlags(command);
  addReportFlags(command);
  command
    .addHelpText('after', EXAMPLES)
    .action(async (dir: string, address: string | undefined, flags: Flags) =>
      hooks.finish(await receive(dir, address, flags, hooks)),
    );
}

/** `receive ADDRESS` means the sender there and the working directory. */
function places(
  dir: string,
  address: string | undefined,
  flags: Flags,
): [string, string | undefined] {
  const connect = flags.connect ?? address;
  if (connect !== undefined && flags.listen !== undefined) {
    throw usageError('--listen and the address of a sender exclude each other');
  }
  const isAlone = connect === undefined && flags.listen === undefined;
  return isAlone && looksLikeAddress(dir) && !isDirectory(dir) ? ['.', dir] : [dir, connect];
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

/** The directory that files go to; only its last name is made, so that a slip isn't a tree. */
function makeDirectory(dir: string): void {
  if (isDirectory(dir)) return;
  try {
    mkdirSync(dir);
  } catch (error) {
    const exists = statSync(dir, { throwIfNoEntry: false }) !== undefined;
    const reason = exists ? 'it is not a directory' : reasonOf(error);
    throw new CommandError(`cannot receive into ${dir}: ${reason}`, undefined, { cause: error });
  }
}

function existingOf({ overwrite, append }: Flags): Existing {
  if (overwrite === true) return 'overwrite';
  return append === true ? 'append' : 'refuse';
}

/** Who has shown the secret is welcome where nobody can be asked. */
function decideOf({ yes, insecure, json }: Flags, onInterrupted: () => void): Decide {
  if (yes) return () => Promise.resolve(true);
  if (process.stdin.isTTY && !json) return askOffer(onInterrupted);
  if (insecure === true) throw usageError('--insecure without a terminal to ask on needs --yes');
  return () => Promise.resolve(true);
}

async function receive(
  dirWord: string,
  addressWord: string | undefined,
  flags: Flags,
  hooks: ProgramHooks,
): Promise<number> {
  const [dir, connect] = places(dirWord, addressWord, flags);
  if (flags.receipt !== undefined && connect === undefined && !flags.once) {
    throw usageError('--receipt is for one transfer: add --once');
  }
  let isPromptInterrupted = false;
  const decide = decideOf(flags, () => (isPromptInterrupted = true));
  const receiptFile = flags.receipt === undefined ? undefined : new ReceiptFile(flags.receipt);
  const reporter = new TransferReporter(flags);
  const v8 = new V8Mode();
  const atWork = new Set<string>();
  makeDirectory(dir);
  const role = connect === undefined ? 'server' : 'client';
  const address = transferAddress(connect ?? flags.listen ?? DEFAULT_ADDRESS, role);
  const shown = connect === undefined ? shownSecret(flags) : undefined;
  const secret = shown === undefined ? await toldSecret(flags) : shown.secret;
  const options: ReceiveOptions = {
    ...(secret === undefined ? { insecure: true } : { secret }),
    dialling: connect === undefined ? 'listen' : 'connect',
    decide,
    existing: existingOf(flags),
    maxBytes: flags.maxBytes,
    maxFileBytes: flags.maxFileBytes,
    maxEntries: flags.maxEntries,
    // Peers that have no address of their own would mix in a receipt.
    maxConnections: receiptFile !== undefined && 'path' in address ? 1 : flags.maxConnections,
    idleTimeoutMs: flags.idleTimeout,
    once: flags.once,
    hashes: loadHashes(),
    onEvent(event) {
      if (event.type === 'ended') receiptFile?.drop(event.peer);
      if (event.type === 'offer') atWork.add(event.peer);
      else if (event.type === 'done' || event.type === 'ended') atWork.delete(event.peer);
      v8.tell(event);
      reporter.tell(event);
    },
    onEntry: (entry, peer) => receiptFile?.add(entry, peer),
  };
  try {
    const receiver = await receiveFiles(dir, address, options);
    if (receiver.address !== null) {
      announce(receiver, reporter, shown, flags);
      hooks.onListening?.();
    }
    return await run(receiver, flags, receiptFile, (signalStatus) => {
      if (atWork.size > 0) reporter.say(drainText(flags.drain));
      return receiver.address === null || isPromptInterrupted ? signalStatus : EXIT.ok;
    });
  } catch (error) {
    if (isPromptInterrupted) return SIGNALS.SIGINT;
    throw transferFailure(`receive into ${dir}`, error);
  } finally {
    reporter.clear();
  }
}

function announce(
  { address }: FileReceiver,
  reporter: TransferReporter,
  shown: ReturnType<typeof shownSecret> | undefined,
  flags: Flags,
): void {
  if (address === null) return;
  const { portFile } = flags;
  if (portFile !== undefined && 'port' in address) writeFileSync(portFile, `${address.port}\n`);
  process.stderr.write(`listening on ${listeningText(address)}\n`);
  reporter.say(
    `on the other side: sockeye send PATH… ${reachableText(address)}${secretWords(flags)}`,
  );
  tellNewSecret(shown, reporter);
  reporter.tellJson({ type: 'listening', address: listeningText(address) });
}

function drainText(ms: number): string {
  return `no new senders; what runs gets ${ms / 1000} s to end, a second signal cuts it`;
}

/** @param onDrain a signal came, and running transfers may come to their end; returns the exit status */
async function run(
  receiver: FileReceiver,
  flags: Flags,
  receiptFile: ReceiptFile | undefined,
  onDrain: (signalStatus: number) => number,
): Promise<number> {
  let status: number | undefined;
  const receipt = await untilInterrupted(
    () => receiver.finished(),
    (signalStatus) => {
      status = onDrain(signalStatus);
      void receiver.drain({ timeoutMs: flags.drain });
    },
  );
  if (receipt !== undefined) receiptFile?.write(receipt, receipt.peer);
  if (status === undefined && receipt === undefined) throw new CommandError('nothing was received');
  return status ?? (receipt?.complete === true ? EXIT.ok : EXIT.failed);
}
