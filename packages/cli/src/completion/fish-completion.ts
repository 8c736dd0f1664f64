import { ADDRESS_STARTS, type CommandWords, type OptionWords } from './command-words.ts';

/** The script for fish. */
export function fishCompletion(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name).join(' ');
  const none = `not __fish_seen_subcommand_from ${names}`;
  const lines = commands.flatMap(({ name, description, options, choices }) => {
    const seen = `-n '__fish_seen_subcommand_from ${name}'`;
    const own = choices.length === 0 ? ADDRESS_STARTS : choices;
    return [
      `complete -c sockeye -f -n '${none}' -a ${name} -d '${description}'`,
      `complete -c sockeye ${seen} -a '${own.join(' ')}'`,
      ...options.map((option) => `complete -c sockeye ${seen} ${optionWords(option)}`),
    ];
  });
  return `# fish completion of sockeye, made by: sockeye completion fish\n${lines.join('\n')}\n`;
}

function optionWords({ long, short, description, value }: OptionWords): string {
  const names = `-l ${long.slice(2)}${short === undefined ? '' : ` -s ${short.slice(1)}`}`;
  return `${names}${argument(value)} -d '${description}'`;
}

function argument(value: OptionWords['value']): string {
  if (value === 'none') return '';
  if (value === 'file') return ' -r -F';
  return value === 'word' ? ' -x' : ` -x -a '${value.join(' ')}'`;
}
