import { ADDRESS_STARTS, type CommandWords } from './command-words.ts';

/** The script for bash. */
export function bashCompletion(commands: readonly CommandWords[]): string {
  const names = commands.map(({ name }) => name);
  return `# bash completion of sockeye, made by: sockeye completion bash
_sockeye() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD-1]}
  local command='' options='' files='' words='' lists='' choices='' i
  local addresses='${ADDRESS_STARTS.join(' ')}'
  COMPREPLY=()
  # "tcp://host:1" is several words to bash, which splits at colons.
  [[ $before == : || $word == : ]] && return
  for ((i = 1; i < COMP_CWORD; i++)); do
    [[ \${COMP_WORDS[i]} != -* ]] && command=\${COMP_WORDS[i]} && break
  done
  case $command in
    '')
      COMPREPLY=($(compgen -W '${names.join(' ')} --help --version' -- "$word"))
      return ;;
${commands.map(branch).join('\n')}
    *) return ;;
  esac
  if [[ " $files " == *" $before "* ]]; then
    COMPREPLY=($(compgen -f -- "$word"))
    compopt -o filenames 2>/dev/null
  elif [[ " $lists " == *" $before="* ]]; then
    lists=" $lists"; lists=\${lists#* $before=}
    COMPREPLY=($(compgen -W "$(tr , ' ' <<<"\${lists%% *}")" -- "$word"))
  elif [[ " $words " == *" $before "* ]]; then
    COMPREPLY=()
  elif [[ $word == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$word"))
  else
    COMPREPLY=($(compgen -W "$choices" -- "$word"))
    [[ -n $addresses ]] && COMPREPLY+=($(compgen -W "$addresses" -- "$word")) && compopt -o nospace 2>/dev/null
    [[ -z $choices ]] && COMPREPLY+=($(compgen -f -- "$word"))
  fi
}
complete -F _sockeye sockeye
`;
}

function branch({ name, options, choices }: CommandWords): string {
  const all = options.flatMap(({ long, short }) => [long, ...(short === undefined ? [] : [short])]);
  const those = (kind: 'file' | 'word'): string =>
    options
      .filter(({ value }) => value === kind)
      .map(({ long }) => long)
      .join(' ');
  const lists = options.flatMap(({ long, value }) =>
    typeof value === 'string' ? [] : [`${long}=${value.join(',')}`],
  );
  const only = choices.length === 0 ? '' : ` choices='${choices.join(' ')}' addresses=''`;
  return (
    `    ${name}) options='${all.join(' ')}' files='${those('file')}'` +
    ` words='${those('word')}' lists='${lists.join(' ')}'${only} ;;`
  );
}
