import type { Command } from 'commander';
import { addOptionFlag, addSourceFlag, type SocketFlags } from '../channel/socket-settings.ts';
import { CommandError, usageError } from '../command-error.ts';
import { quote } from '../address/address-syntax-error.ts';
import { EXIT } from '../exit-code.ts';
import type { ProgramHooks } from '../program-hooks.ts';
import { optionsProgram } from '../emit/options-program.ts';
import { openOptionSocket, optionEndpoint } from './open-option-socket.ts';
import { optionPattern } from './option-pattern.ts';
import { optionJson, optionRow } from './option-row.ts';
import { optionTable } from './option-table.ts';

const EXAMPLES = `
Examples:
  sockeye options tcp                                  what a fresh TCP socket has
  sockeye options udp6 buf                             names with "buf" in them
  sockeye options --connect example.com:443 TCP_INFO   of a connection
  sockeye options tcp SO_RCVBUF --option SO_RCVBUF=65536   what the system makes of a value
  sockeye options unix:///run/app.sock 'SO_P*' --json  for a script

An address may be a kind of socket alone: tcp, tcp6, udp, udp6, unix, unix-dgram, unix-seqpacket,
vsock. A pattern is a part of a name, or with * and ? the whole of it; case does not matter.`;

interface Flags extends SocketFlags {
  readonly emit?: boolean;
  readonly connect?: boolean;
  readonly json?: boolean;
}

/** Adds `sockeye options`. */
export function addOptionsCommand(program: Command, hooks: ProgramHooks): void {
  const command = program
    .command('options')
    .summary('show every option of a socket with its value')
    .description('Shows every option of a fresh or a connected socket, with its value.')
    .argument('<address>', 'what the socket is for')
    .argument('[pattern]', 'which options to show')
    .option('--connect', 'connect the socket first')
    .option('--json', 'print JSON objects, one a line');
  addSourceFlag(command);
  addOptionFlag(command);
  command
    .option('--emit', 'print the TypeScript that does the same')
    .addHelpText('after', EXAMPLES)
    .action(async (address: string, pattern: string | undefined, flags: Flags) => {
      await show(address, pattern, flags);
      hooks.finish(EXIT.ok);
    });
}

async function show(address: string, pattern: string | undefined, flags: Flags): Promise<void> {
  if (flags.source !== undefined && !flags.connect) {
    throw usageError('--source is for a socket that connects: add --connect');
  }
  if (flags.emit) {
    const endpoint = optionEndpoint(address, flags.connect ?? false);
    process.stdout.write(optionsProgram(endpoint, flags, pattern));
    return;
  }
  const { source, option: settings } = flags;
  using socket = await openOptionSocket(address, flags.connect ?? false, { source, settings });
  const wanted = optionPattern(pattern ?? '');
  const found = socket.options.list().filter(({ name }) => wanted.test(name));
  if (found.length === 0) {
    throw new CommandError(`no option of this socket matches ${quote(pattern ?? '')}`);
  }
  if (flags.json) {
    for (const option of found) process.stdout.write(`${JSON.stringify(optionJson(option))}\n`);
  } else {
    const width = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
    process.stdout.write(optionTable(found.map(optionRow), width));
  }
}
