/**
 * A program's settings are a table. Flag, variable, key in the file, help and check of a setting come from its row;
 * `read.ts` reads them.
 */

import { type Command, Option } from 'commander'
import type { z } from 'zod'

export interface Setting<T = unknown> {
  readonly type: z.ZodType<T>
  readonly fallback: T
  readonly help: string
  /** Placeholder of the flag's value, `<seconds>`; without one the flag has no value (`--gzip`, `--no-gzip`). */
  readonly value?: string
  /** `--no-<name>` gives it the value false. */
  readonly no?: boolean
  /** Its variable, where SOCKFLUX_<NAME> is that of another program's setting. */
  readonly variable?: string
  /** Variables besides that one, first wins. */
  readonly env?: readonly string[]
  /** Several values: repeated on the command line, separated by commas in the environment, a sequence in the file. */
  readonly list?: boolean | RegExp
  /** The default depends on the machine: no file and no manual has it. */
  readonly ofMachine?: true
  /** A former name, which still works with a warning. */
  readonly former?: string
  /** Never a flag, because `ps` shows flags; each variable has a variant `<NAME>_FILE`. */
  readonly secret?: boolean
}

export type Settings = Readonly<Record<string, Setting>>
export type Values<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** A given value, and the flag, variable or place in the file. */
export interface Found {
  readonly value: unknown
  readonly where: string
  readonly yaml?: boolean
}

/** Which setting is wrong, where, and the remedy. */
export class SettingError extends Error {
  override name = 'SettingError'
}

/** Keeps a row's type in a table with other types. */
export const setting = <T>(row: Setting<T>): Setting<T> => row

export const kebab = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
export const snake = (name: string): string => kebab(name).replaceAll('-', '_')
/** `flowCollectorAddr` or `enableTLSToIt`, as other programs write keys, in snake case; others as they are. */
export const snakeOfKey = (key: string): string =>
  /^[a-z]+[A-Z]/.test(key)
    ? key
        .replace(/([a-z\d])([A-Z])/g, '$1_$2')
        .replace(/([A-Z])([A-Z][a-z])/g, '$1_$2')
        .toLowerCase()
    : key
export const variables = (name: string, row: Setting): string[] => [
  row.variable ?? variable(name),
  ...(row.env ?? []),
  ...(row.former === undefined ? [] : [variable(row.former)]),
]
const variable = (name: string): string => `SOCKFLUX_${snake(name).toUpperCase()}`

/** Read when neither --config nor SOCKFLUX_CONFIG names a file. */
export const defaultFile = (section: string): string => `/etc/sockflux/${section}.yaml`

const SIZES = [
  ['G', 2 ** 30],
  ['M', 2 ** 20],
  ['K', 2 ** 10],
] as const

/** The default as people write it: `64M`, `60s`; undefined if there is none. */
export function defaultOf({ fallback, value }: Setting): unknown {
  if (value === '<duration>' && typeof fallback === 'number') return `${fallback}s`
  if (value !== '<size>' || typeof fallback !== 'number') return fallback === '' ? undefined : fallback
  const [letter, unit] = SIZES.find(([, unit]) => fallback > 0 && fallback % unit === 0) ?? ['', 1]
  return `${fallback / unit}${letter}`
}

function helpOf(name: string, row: Setting): string {
  const fallback = defaultOf(row)
  const shown = fallback === undefined ? [] : [`default: ${[fallback].flat().join(', ') || 'none'}`]
  const env = [row.variable ?? variable(name), ...(row.env ?? [])].map(name =>
    row.secret ? `${name}[_FILE]` : name,
  )
  return `${row.help} (${[...shown, `env: ${env.join(', ')}`].join('; ')})`
}

/** Words in indented lines of at most 80 characters. */
const lines = (words: string): string => words.replace(/(.{1,78})(?: |$)/g, '  $1\n').trimEnd()

/** Adds the table's flags to the command, and its other settings to `--help`. */
export function addFlags(command: Command, section: string, settings: Settings): void {
  command.option(
    '--config <file>',
    `YAML file with settings (default: ${defaultFile(section)}, if it is there; env: SOCKFLUX_CONFIG)`,
  )
  addOptions(command, settings)
  const keys = Object.keys(settings).map(snake).join(', ')
  command.addHelpText(
    'after',
    `\nFlags win over the environment, the environment over the file. Keys of the file,\nbelow \`${section}:\` or at its top level:\n${lines(keys)}`,
  )
}

/** Without the file: for a command that a person runs. */
export function addOptions(command: Command, settings: Settings): void {
  const hidden: string[] = []
  for (const [name, row] of Object.entries(settings)) {
    const help = helpOf(name, row)
    if (row.former !== undefined)
      command.addOption(new Option(`--${kebab(row.former)} ${row.value ?? ''}`.trim(), help).hideHelp())
    if (row.secret) hidden.push(`  ${help}`)
    else if (row.value) {
      command.addOption(
        row.list
          ? new Option(`--${kebab(name)} ${row.value}`, `${help}; may be repeated`).argParser(
              (value: string, before: string[] | undefined) => [...(before ?? []), value],
            )
          : new Option(`--${kebab(name)} ${row.value}`, help),
      )
      if (row.no) command.addOption(new Option(`--no-${kebab(name)}`, 'off').hideHelp())
    } else
      command
        .addOption(new Option(`--${kebab(name)}`, help))
        .addOption(new Option(`--no-${kebab(name)}`, 'the opposite').hideHelp(row.fallback !== true))
  }
  if (hidden.length > 0)
    command.addHelpText('after', `\nOnly as variables or keys, because ps shows flags:\n${hidden.join('\n')}`)
}
