import { ADDRESS_STARTS, type CommandWords, type OptionWords } from './command-words.ts';

/** The script for zsh. */
export function zshCompletion(commands: readonly CommandWords[]): string {
  return `#compdef sockeye
# zsh completion of sockeye, made by: sockeye completion zsh
_sockeye_addresses() {
  local -a starts=(${ADDRESS_STARTS.join(' ')})
  compadd -S '' -- $starts
  _files
}
_sockeye() {
  local -a commands=(
${commands.map(({ name, description }) => `    '${name}:${colons(description)}'`).join('\n')}
  )
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '(-h --help)'{-h,--help}'[show help]' '(-V --version)'{-V,--version}'[show version]' \\
    '1:command:->command' '*::argument:->argument' && return
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${commands.map(branch).join('\n')}
      esac ;;
  esac
}
if [[ $funcstack[1] == _sockeye ]]; then _sockeye "$@"; else compdef _sockeye sockeye; fi
`;
}

function branch({ name, options, choices }: CommandWords): string {
  const rest = choices.length === 0 ? '_sockeye_addresses' : `(${choices.join(' ')})`;
  const words = [...options.map(optionSpec), `'*:argument:${rest}'`];
  return `        ${name}) _arguments ${words.join(' ')} ;;`;
}

function optionSpec({ long, short, description, value }: OptionWords): string {
  const action =
    value === 'file'
      ? '_files'
      : value === 'word'
        ? ' '
        : typeof value === 'string'
          ? ''
          : `(${value.join(' ')})`;
  const tail = `[${colons(description)}]${value === 'none' ? '' : `:value:${action}`}`;
  if (short === undefined) return `'*${long}${tail}'`;
  return `'(${short} ${long})'{${short},${long}}'${tail}'`;
}

/** zsh parts its words at colons. */
function colons(text: string): string {
  return text.replaceAll(':', '\\:');
}
