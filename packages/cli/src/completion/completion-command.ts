import { Argument, type Command } from 'commander';
import type { ProgramHooks } from '../program-hooks.ts';
import { EXIT } from '../exit-code.ts';
import { bashCompletion } from './bash-completion.ts';
import { describeCommands, type CommandWords } from './command-words.ts';
import { fishCompletion } from './fish-completion.ts';
import { zshCompletion } from './zsh-completion.ts';

const SHELLS = ['bash', 'zsh', 'fish'] as const;
type Shell = (typeof SHELLS)[number];

const EXAMPLES = `
Examples:
  source <(sockeye completion bash)                               in ~/.bashrc
  sockeye completion zsh > "\${fpath[1]}/_sockeye"
  sockeye completion fish > ~/.config/fish/completions/sockeye.fish`;

/** Adds `sockeye completion`. */
export function addCompletionCommand(program: Command, hooks: ProgramHooks): void {
  program
    .command('completion')
    .summary('print what completes this command in a shell')
    .description('Prints a script that completes commands, options and files in a shell.')
    .addArgument(new Argument('<shell>', 'the shell').choices(SHELLS))
    .addHelpText('after', EXAMPLES)
    .action((shell: Shell) => {
      process.stdout.write(script(shell, describeCommands(program)));
      hooks.finish(EXIT.ok);
    });
}

function script(shell: Shell, commands: readonly CommandWords[]): string {
  switch (shell) {
    case 'bash':
      return bashCompletion(commands);
    case 'zsh':
      return zshCompletion(commands);
    case 'fish':
      return fishCompletion(commands);
    default:
      return shell satisfies never;
  }
}
