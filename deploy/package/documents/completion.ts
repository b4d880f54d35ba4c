/** Completion for bash and zsh, from the commands: names of commands, their flags, and files after flags that take one. */

import type { Command } from 'commander'

/** What a flag's value is, by its placeholder, that a shell completes as a path. */
const PATHS = ['<file>', '<path>', '<directory>', '<socket>']

interface Node {
  /** Words after `sockflux`: `config check`. */
  readonly path: string
  readonly words: readonly { readonly word: string; readonly help: string }[]
  /** Flags with a value, which may be a path. */
  readonly paths: readonly string[]
  readonly others: readonly string[]
}

function nodes(command: Command, path: readonly string[] = []): Node[] {
  const flags = command.options.filter(option => !option.hidden && option.long !== undefined)
  const valued = flags.filter(({ flags }) => /[<[]/.test(flags))
  const isPath = ({ flags }: { readonly flags: string }) => PATHS.some(value => flags.endsWith(value))
  const below = command.commands.map(one => ({ word: one.name(), help: one.description() }))
  return [
    {
      path: path.join(' '),
      words: [
        ...below,
        ...flags.map(option => ({ word: option.long!, help: option.description })),
        { word: '--help', help: 'usage' },
      ],
      paths: valued.filter(isPath).map(({ long }) => long!),
      others: valued.filter(option => !isPath(option)).map(({ long }) => long!),
    },
    ...command.commands.flatMap(one => nodes(one, [...path, one.name()])),
  ]
}

const either = (flags: readonly string[]): string => [...new Set(flags)].toSorted().join(' | ')

export function bashCompletion(program: Command): string {
  const all = nodes(program)
  const cases = all.map(
    ({ path, words }) => `        '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
  )
  return `# bash completion of sockflux, made from its commands
_sockflux() {
    local word path='' words=''
    local current="\${COMP_WORDS[COMP_CWORD]}" before="\${COMP_WORDS[COMP_CWORD-1]}"
    COMPREPLY=()
    # --flag=value is three words
    if [ "$current" = = ]; then
        current=''
    elif [ "$before" = = ]; then
        before="\${COMP_WORDS[COMP_CWORD-2]}"
    fi
    for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
        case "$path|$word" in
${all
  .filter(({ path }) => path !== '')
  .map(
    ({ path }) =>
      `            '${path.replace(/ ?[^ ]+$/, '')}|${path.replace(/.* /, '')}') path='${path}' ;;`,
  )
  .join('\n')}
        esac
    done
    case "$before" in
        ${either(all.flatMap(({ paths }) => paths))})
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "$current")
            return
            ;;
        ${either(all.flatMap(({ others }) => others))}) return ;;
    esac
    case "$path" in
${cases.join('\n')}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current")
}
complete -F _sockflux sockflux
`
}

export function zshCompletion(program: Command): string {
  const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`
  const described = ({ word, help }: Node['words'][number]) =>
    quoted(`${word}:${help.replaceAll(':', '\\:')}`)
  const all = nodes(program)
  return `#compdef sockflux
# zsh completion of sockflux, made from its commands
_sockflux() {
    local word place='' before="\${words[CURRENT-1]}"
    local -a found
    if [[ $PREFIX == --*=* ]]; then
        before="\${PREFIX%%=*}"
        compset -P '*='
    fi
    for word in "\${(@)words[2,CURRENT-1]}"; do
        case "$place|$word" in
${all
  .filter(({ path }) => path !== '')
  .map(
    ({ path }) =>
      `            '${path.replace(/ ?[^ ]+$/, '')}|${path.replace(/.* /, '')}') place='${path}' ;;`,
  )
  .join('\n')}
        esac
    done
    case "$before" in
        ${either(all.flatMap(({ paths }) => paths))}) _files; return ;;
        ${either(all.flatMap(({ others }) => others))}) return ;;
    esac
    case "$place" in
${all.map(({ path, words }) => `        '${path}') found=(${words.map(described).join(' ')}) ;;`).join('\n')}
    esac
    _describe sockflux found
}
_sockflux "$@"
`
}
