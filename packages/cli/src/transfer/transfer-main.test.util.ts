// Runs the transfer commands as the command does: node transfer-main.test.util.js send …
import { Command, CommanderError } from 'commander';
import { AddressSyntaxError } from '../address/address-syntax-error.ts';
import { CommandError } from '../command-error.ts';
import { EXIT } from '../exit-code.ts';
import { addTransferCommands } from './transfer-commands.ts';

const program = new Command('sockeye').exitOverride();
addTransferCommands(program, { finish: (code) => (process.exitCode = code) });
try {
  await program.parseAsync(process.argv.slice(2), { from: 'user' });
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`);
  if (error instanceof CommandError) process.exitCode = error.exitCode;
  else if (error instanceof CommanderError) process.exitCode = error.exitCode && EXIT.usage;
  else process.exitCode = error instanceof AddressSyntaxError ? EXIT.usage : 70;
}
