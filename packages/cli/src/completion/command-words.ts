import type { Command } from 'commander';

/** An option as a shell completes it. */
export interface OptionWords {
  readonly long: string;
  /** `-q`, or undefined. */
  readonly short: string | undefined;
  readonly description: string;
  /** What follows it: nothing, a file, one of some words, or what no shell can know. */
  readonly value: 'none' | 'file' | 'word' | readonly string[];
}

/** A command as a shell completes it. */
export interface CommandWords {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionWords[];
  /** Words that an argument may be. */
  readonly choices: readonly string[];
}

/** What the forms of addresses begin with. */
export const ADDRESS_STARTS = [
  'tcp://',
  'udp://',
  'tls://',
  'unix://',
  'unix-dgram://',
  'unix-seqpacket://',
  'vsock://',
];

/** All commands of the program with their options. */
export function describeCommands(program: Command): CommandWords[] {
  return program.commands.map((command) => ({
    name: command.name(),
    description: plain(command.summary() || command.description()),
    options: [...optionsOf(command), HELP],
    choices: command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []),
  }));
}

const HELP: OptionWords = {
  long: '--help',
  short: '-h',
  description: 'show this help',
  value: 'none',
};

function optionsOf(command: Command): OptionWords[] {
  return command.options.flatMap((option) => {
    const { long, short, description, flags, argChoices } = option;
    if (typeof long !== 'string' || option.hidden) return [];
    const takes = /[<[](\w+)/.exec(flags)?.[1];
    const isFile = takes === 'file' || takes === 'dir' || takes === 'directory' || takes === 'path';
    const value = argChoices ?? (takes === undefined ? 'none' : isFile ? 'file' : 'word');
    return [{ long, short: short ?? undefined, description: plain(description), value }];
  });
}

/** One line without what shells would take for their own. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/['"`$\\[\]]/g, '');
}
