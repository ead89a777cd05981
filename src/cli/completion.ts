/** `merlon completion bash|zsh`: a script for the shell, made from the commands and their options. */
import { type Command, UsageError } from './command.ts'
import { helpNames } from './help.ts'

const SHELLS = ['bash', 'zsh'] as const

/** A word of the command line and what may follow it. */
interface Node {
  readonly words: readonly string[]
  readonly follows: readonly string[]
}

/** `commands`: called when it runs, since this command is one of them. */
export const completionCommand = (commands: () => Promise<readonly Command[]>): Command => ({
  name: 'completion',
  about: 'bash | zsh: prints a completion script. For bash: source <(merlon completion bash)',
  options: {},
  verbs: SHELLS,
  async run([shell, ...more]) {
    if (more.length > 0 || !SHELLS.some((each) => each === shell))
      throw new UsageError('merlon completion bash, or merlon completion zsh')
    const all = await commands()
    process.stdout.write(shell === 'bash' ? bash(all) : zsh(all))
    return 0
  },
})

const optionsOf = (options: Command['options']): readonly string[] => [
  ...Object.keys(options).map((name) => `--${name}`),
  '--help',
]

function nodesOf(commands: readonly Command[]): readonly Node[] {
  return [
    { words: [], follows: [...helpNames, '--version', '--help'] },
    { words: ['help'], follows: commands.map(({ name }) => name) },
    ...commands.flatMap(({ name, options, verbs = [], commands: below = [] }) => [
      { words: [name], follows: [...verbs, ...below.map((each) => each.name), ...optionsOf(options)] },
      ...verbs.map((verb) => ({ words: [name, verb], follows: optionsOf(options) })),
      ...below.map((each) => ({ words: [name, each.name], follows: optionsOf(each.options) })),
    ]),
  ]
}

/** The same patterns for both shells: the arguments before the one that is completed, without options. */
const cases = (commands: readonly Command[]): string =>
  nodesOf(commands)
    .map(({ words, follows }) => `    '${words.join(' ')}') follows='${follows.join(' ')}' ;;`)
    .join('\n')

const bash = (
  commands: readonly Command[],
): string => `# bash completion of merlon. Use: source <(merlon completion bash)
_merlon() {
  local follows='' current="\${COMP_WORDS[COMP_CWORD]}" path='' word n
  for ((n = 1; n < COMP_CWORD && n < 3; n++)); do
    word="\${COMP_WORDS[n]}"
    [[ $word == -* ]] && break
    path="\${path:+$path }$word"
  done
  case "$path" in
${cases(commands)}
    *) case "\${path%% *}" in
${cases(commands)}
    esac ;;
  esac
  COMPREPLY=($(compgen -W "$follows" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -o filenames -F _merlon merlon
`

const zsh = (commands: readonly Command[]): string => `#compdef merlon
# zsh completion of merlon. Use: source <(merlon completion zsh)
_merlon() {
  local follows='' spoken='' word n
  for ((n = 2; n < CURRENT && n < 4; n++)); do
    word="\${words[n]}"
    [[ $word == -* ]] && break
    spoken="\${spoken:+$spoken }$word"
  done
  case "$spoken" in
${cases(commands)}
    *) case "\${spoken%% *}" in
${cases(commands)}
    esac ;;
  esac
  compadd -- \${=follows} || _files
}
compdef _merlon merlon
`
