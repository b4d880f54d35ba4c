/** Completion for bash and zsh, from the commands: names of commands, their flags, and files after flags that take one. */

import type { Command } from 'commander'

/** What a flag's value is, by its placeholder, that a shell completes as a path. */
const PATHS = ['<file>', '<path>', '<directory>', '<socket>']

interface Node {
  /** Words after `sockflux`: `config check`. */
  readonly path: string
  readonly words: readonly { readonly word: string; readonly help: string }[]
  readonly paths: readonly string[]
}

function nodes(command: Command, path: readonly string[] = []): Node[] {
  const flags = command.options.filter(option => !option.hidden && option.long !== undefined)
  const below = command.commands.map(one => ({ word: one.name(), help: one.description() }))
  return [
    {
      path: path.join(' '),
      words: [
        ...below,
        ...flags.map(option => ({ word: option.long!, help: option.description })),
        { word: '--help', help: 'usage' },
      ],
      paths: flags.filter(({ flags }) => PATHS.some(value => flags.endsWith(value))).map(({ long }) => long!),
    },
    ...command.commands.flatMap(one => nodes(one, [...path, one.name()])),
  ]
}

export function bashCompletion(program: Command): string {
  const all = nodes(program)
  const paths = [...new Set(all.flatMap(({ paths }) => paths))].toSorted()
  const cases = all.map(
    ({ path, words }) => `        '${path}') words='${words.map(({ word }) => word).join(' ')}' ;;`,
  )
  return `# bash completion of sockflux, made from its commands
_sockflux() {
    local word path='' words=''
    COMPREPLY=()
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
    case "\${COMP_WORDS[COMP_CWORD-1]}" in
        ${paths.join(' | ')})
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -f -- "\${COMP_WORDS[COMP_CWORD]}")
            return
            ;;
    esac
    case "$path" in
${cases.join('\n')}
    esac
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}")
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
    local word place=''
    local -a found
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
    case "\${words[CURRENT-1]}" in
        ${[...new Set(all.flatMap(({ paths }) => paths))].toSorted().join('|')}) _files; return ;;
    esac
    case "$place" in
${all.map(({ path, words }) => `        '${path}') found=(${words.map(described).join(' ')}) ;;`).join('\n')}
    esac
    _describe sockflux found
}
_sockflux "$@"
`
}
