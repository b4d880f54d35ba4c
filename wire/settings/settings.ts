/**
 * Settings from flags, environment and a YAML file, in this order of precedence. A program gives a table; the flag, the
 * variable, the key in the file, the help and the check all come from its row.
 */

import { readFileSync } from 'node:fs'
import { type Command, Option } from 'commander'
import { isMap, isScalar, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml'
import type { z } from 'zod'

export interface Setting<T = unknown> {
  readonly type: z.ZodType<T>
  readonly fallback: T
  readonly help: string
  /** Placeholder of the flag's value, `<seconds>`; without one the flag stands alone (`--gzip`, `--no-gzip`). */
  readonly value?: string
  /** Variables besides SOCKFLUX_<NAME>, first wins. */
  readonly env?: readonly string[]
  /** Several values: repeated on the command line, separated by commas in the environment, a sequence in the file. */
  readonly list?: boolean
  /** Never a flag, because `ps` shows flags; each variable has a variant `<NAME>_FILE`. */
  readonly secret?: boolean
}

export type Settings = Readonly<Record<string, Setting>>
export type Values<S extends Settings> = {
  readonly [K in keyof S]: S[K] extends Setting<infer T> ? T : never
}

/** Where a setting is wrong and what to do: for the person who wrote it. */
export class SettingError extends Error {
  override name = 'SettingError'
}

/** Keeps a row's type while it joins a table of others. */
export const setting = <T>(row: Setting<T>): Setting<T> => row

const kebab = (name: string): string => name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)
const snake = (name: string): string => kebab(name).replaceAll('-', '_')
const variables = (name: string, row: Setting): string[] => [
  `SOCKFLUX_${snake(name).toUpperCase()}`,
  ...(row.env ?? []),
]

function helpOf(name: string, row: Setting): string {
  const { fallback } = row
  const shown =
    fallback === undefined || fallback === '' ? [] : [`default: ${[fallback].flat().join(', ') || 'none'}`]
  const env = variables(name, row).map(variable => (row.secret ? `${variable}[_FILE]` : variable))
  return `${row.help} (${[...shown, `env: ${env.join(', ')}`].join('; ')})`
}

/** Add the table's flags, and what else can be set, to the command's `--help`. */
export function addFlags(command: Command, section: string, settings: Settings): void {
  command.option('--config <file>', 'YAML file with settings (env: SOCKFLUX_CONFIG)')
  const hidden: string[] = []
  for (const [name, row] of Object.entries(settings)) {
    const help = helpOf(name, row)
    if (row.secret) hidden.push(`  ${help}`)
    else if (row.value)
      command.addOption(
        row.list
          ? new Option(`--${kebab(name)} ${row.value}`, `${help}; may be repeated`).argParser(
              (value: string, before: string[] | undefined) => [...(before ?? []), value],
            )
          : new Option(`--${kebab(name)} ${row.value}`, help),
      )
    else
      command
        .addOption(new Option(`--${kebab(name)}`, help))
        .addOption(new Option(`--no-${kebab(name)}`, 'the opposite').hideHelp(row.fallback !== true))
  }
  if (hidden.length > 0)
    command.addHelpText('after', `\nNot as flags, because ps shows flags:\n${hidden.join('\n')}`)
  const keys = Object.keys(settings).map(snake).join(', ')
  command.addHelpText(
    'after',
    `\nFlags win over the environment, that over the file. Keys below \`${section}:\` in the file:\n  ${keys}`,
  )
}

/** Of a list in a variable. A comma before `name=` belongs to the value: `tcp://*:5556,ifid=6`. */
const SEPARATOR = /\s*,(?!\w+=)\s*/

type Found = { readonly value: unknown; readonly where: string }

function fromEnv(name: string, row: Setting, env: NodeJS.ProcessEnv): Found | undefined {
  for (const variable of variables(name, row)) {
    const value = env[variable]
    if (value !== undefined && value !== '')
      return { value: row.list ? value.trim().split(SEPARATOR) : value, where: variable }
    const file = row.secret ? env[`${variable}_FILE`] : undefined
    if (file) return { value: readText(file, `${variable}_FILE`).trimEnd(), where: `${variable}_FILE` }
  }
  return undefined
}

function readText(path: string, where: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    throw new SettingError(`${where}: cannot read ${path} (${code}): correct the path or its permissions`)
  }
}

/** The keys of one section of the file, with their places. */
class SettingsFile {
  readonly #path: string
  readonly #lines = new LineCounter()
  readonly #entries = new Map<string, Found>()

  constructor({ path, where }: { path: string; where: string }, section: string, known: readonly string[]) {
    this.#path = path
    const document = parseDocument(readText(path, where), { lineCounter: this.#lines })
    const [error] = document.errors
    if (error) throw new SettingError(`${this.#at(error.pos[0])}: ${error.message.split('\n')[0]}`)
    if (document.contents === null) return
    const sections = this.#keys(document.contents, ['probe', 'collector'], 'the file')
    const own = sections.get(section)
    if (!own || (isScalar(own) && own.value === null)) return
    for (const [key, node] of this.#keys(own, known, section))
      this.#entries.set(key, {
        value: node.toJS(document),
        where: `${this.#at(node.range?.[0] ?? 0)}: ${section}.${key}`,
      })
  }

  get(key: string): Found | undefined {
    return this.#entries.get(key)
  }

  #at(offset: number): string {
    const { line, col } = this.#lines.linePos(offset)
    return `${this.#path}:${line}:${col}`
  }

  #keys(node: Node, known: readonly string[], name: string): Map<string, Node> {
    if (!isMap(node)) throw new SettingError(`${this.#at(node.range?.[0] ?? 0)}: ${name} must be a mapping`)
    const keys = new Map<string, Node>()
    for (const { key, value } of (node as YAMLMap<Node, Node>).items) {
      const word = String((key as { value?: unknown }).value)
      if (!known.includes(word))
        throw new SettingError(
          `${this.#at(key.range?.[0] ?? 0)}: ${name} has no key ${word}; known are ${known.join(', ')}`,
        )
      if (value) keys.set(word, value)
    }
    return keys
  }
}

/**
 * @param section the program's key in the file: `probe` or `collector`
 * @param flags as commander gives them
 * @throws {SettingError} naming the flag, variable or line and column
 */
export function readSettings<S extends Settings>(
  settings: S,
  section: string,
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
): Values<S> {
  const given = flags['config'] as string | undefined
  const path = given ?? env['SOCKFLUX_CONFIG']
  const where = given === undefined ? 'SOCKFLUX_CONFIG' : '--config'
  const file = path ? new SettingsFile({ path, where }, section, Object.keys(settings).map(snake)) : undefined
  const values = Object.entries(settings).map(([name, row]) => {
    const flag = flags[name] === undefined ? undefined : { value: flags[name], where: `--${kebab(name)}` }
    const found = flag ?? fromEnv(name, row, env) ?? file?.get(snake(name))
    if (!found) return [name, row.fallback]
    const parsed = row.type.safeParse(found.value)
    if (parsed.success) return [name, parsed.data]
    const given = row.secret ? '' : `, not ${withoutLogin(JSON.stringify(found.value))}`
    throw new SettingError(`${found.where}: ${parsed.error.issues[0]?.message}${given}`)
  })
  return Object.fromEntries(values) as Values<S>
}

/** What stands before an `@` may be a password. */
const withoutLogin = (json: string): string => json.replace(/(?<=").*@/s, '…@')
