import { type Command, CommanderError } from 'commander';
import { AddressSyntaxError } from './address/address-syntax-error.ts';
import { CommandError } from './command-error.ts';
import { EXIT } from './exit-code.ts';
import { hostAndPortHint } from './host-and-port-hint.ts';
import { makeProgram } from './program.ts';

/** What a program that runs the command inside itself may want. */
export interface MainOptions {
  /** Called once a server listens on all of its addresses. */
  readonly onListening?: () => void;
}

/**
 * Runs the command.
 *
 * @param args what follows the command's name
 * @returns the exit status; what went wrong is on stderr already
 */
export async function main(args: readonly string[], options: MainOptions = {}): Promise<number> {
  let status: number = EXIT.ok;
  // Whoever read them has gone, which is no reason to fail.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
  const hooks = {
    ...options,
    finish(code: number) {
      status = code;
    },
  };
  const program = await makeProgram(hooks, args);
  try {
    if (args.length === 0) program.error('no command given; sockeye --help lists them');
    await program.parseAsync(asksHelpOfNothing(program, args) ? typedAlone(args) : args, {
      from: 'user',
    });
    return status;
  } catch (error) {
    return report(error, args);
  }
}

/** Commander shows the general help for it, where the word alone gets "Did you mean". */
function asksHelpOfNothing(program: Command, args: readonly string[]): boolean {
  const asks = args[0] === 'help' || args.includes('--help') || args.includes('-h');
  const [word] = typedAlone(args);
  if (!asks || word === undefined || word.startsWith('-') || word === 'help') return false;
  return program.commands.every((command) => command.name() !== word);
}

/** The word of `help WORD` or `WORD --help`. */
function typedAlone(args: readonly string[]): readonly string[] {
  return (args[0] === 'help' ? args.slice(1) : args).slice(0, 1);
}

function report(error: unknown, args: readonly string[]): number {
  // Commander has written its line, or the help that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (error instanceof AddressSyntaxError) {
    const hint = error.message.includes('it has no port') ? hostAndPortHint(args) : '';
    return say(`${error.message}${hint}`, EXIT.usage);
  }
  if (error instanceof CommandError) return say(error.message, error.exitCode);
  throw error;
}

/** Says nothing where the message is empty: the reader of stdout has gone. */
function say(message: string, exitCode: number): number {
  if (message === '') return exitCode;
  // A sentence's first word, not the name of a file.
  const line = message
    .replace(/^[A-Z](?=[a-z]+ )/, (letter) => letter.toLowerCase())
    .replace(/\s*\n\s*/g, ' ');
  process.stderr.write(`sockeye: ${line}\n`);
  return exitCode;
}
