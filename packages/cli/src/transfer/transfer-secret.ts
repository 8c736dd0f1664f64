import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';
import { Writable } from 'node:stream';
import { generateSecret } from '@sockeye/net/transfer';
import { reasonOf } from '../explain-error.ts';
import { CommandError, usageError } from '../command-error.ts';
import { errorCode } from '../error-code.ts';
import { askTerminal } from './ask-terminal.ts';
import type { TransferReporter } from './transfer-reporter.ts';

/** Where a secret comes from (safety.md 19): never from the command's arguments. */
export interface SecretFlags {
  readonly secretFile?: string;
  readonly secretFd?: number;
  readonly insecure?: boolean;
}

const VARIABLE = 'SOCKEYE_SECRET';

/** The secret that was given; undefined where none was, or none is wanted. */
function givenSecret({ secretFile, secretFd, insecure }: SecretFlags): string | undefined {
  const ways = [secretFile, secretFd, insecure === true ? true : undefined];
  if (ways.filter((way) => way !== undefined).length > 1) {
    throw usageError('--secret-file, --secret-fd and --insecure exclude each other');
  }
  if (secretFd !== undefined) return readSecret(secretFd, `descriptor ${secretFd}`);
  if (secretFile === '-') return readSecret(0, 'stdin');
  if (secretFile !== undefined) return readSecret(secretFile, secretFile);
  const fromEnvironment = process.env[VARIABLE];
  if (fromEnvironment === undefined || fromEnvironment === '' || insecure === true)
    return undefined;
  process.stderr.write(
    `sockeye: warning: the secret comes from ${VARIABLE}, which other programs of this user can read\n`,
  );
  return fromEnvironment;
}

function readSecret(from: string | number, name: string): string {
  try {
    return readFileSync(from, 'utf8').trim();
  } catch (error) {
    throw new CommandError(`cannot read the secret from ${name}: ${reasonOf(error)}`, undefined, {
      cause: error,
    });
  }
}

/** The secret of the side that shows it: given, or a new one, which goes to its file if that is missing. */
export function shownSecret(flags: SecretFlags): { secret: string | undefined; isNew: boolean } {
  if (flags.insecure === true) return { secret: givenSecret(flags), isNew: false };
  const { secretFile } = flags;
  const made = secretFile === undefined || secretFile === '-' ? undefined : createFile(secretFile);
  if (made !== undefined) return { secret: made, isNew: false };
  const given = givenSecret(flags);
  if (given !== undefined) return { secret: given, isNew: false };
  return { secret: generateSecret(), isNew: true };
}

/** Shows a secret that is new: the only place where it is ever shown. */
export function tellNewSecret(
  shown: { secret: string | undefined; isNew: boolean } | undefined,
  reporter: TransferReporter,
): void {
  if (shown?.isNew !== true) return;
  reporter.say('it asks for this secret, another one each time (--secret-file FILE keeps one):');
  process.stderr.write(`${shown.secret}\n`);
}

/** What the other side's line needs so that it protects the connection as this one does. */
export function secretWords({ insecure, secretFile }: SecretFlags): string {
  if (insecure === true) return ' --insecure';
  return secretFile === undefined ? '' : ' --secret-file FILE';
}

/** Writes a new secret to a file that isn't there; undefined where it is. */
function createFile(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, 'wx', 0o600);
  } catch (error) {
    if (errorCode(error) === 'EEXIST') return undefined;
    throw new CommandError(`cannot write the secret to ${path}: ${reasonOf(error)}`, undefined, {
      cause: error,
    });
  }
  try {
    const secret = generateSecret();
    writeSync(fd, `${secret}\n`);
    return secret;
  } finally {
    closeSync(fd);
  }
}

/** The secret of the side that was told it: given, or asked for on a terminal. */
export async function toldSecret(flags: SecretFlags): Promise<string | undefined> {
  const given = givenSecret(flags);
  if (given !== undefined || flags.insecure === true) return given;
  if (!process.stdin.isTTY) {
    throw usageError('no secret: give --secret-file FILE, --secret-fd N, or --insecure');
  }
  process.stderr.write('secret (not shown): ');
  const unseen = new Writable({ write: (_chunk, _encoding, done) => done() });
  const answer = await askTerminal('', unseen);
  if (answer !== undefined) process.stderr.write('\n');
  const secret = answer?.trim() ?? '';
  if (secret === '') throw usageError('no secret was given: the other side shows it');
  return secret;
}
