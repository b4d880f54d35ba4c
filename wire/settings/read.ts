/** Settings from flags, environment and a YAML file, in this order of precedence. */

import { existsSync, statSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { WARNING, withPriority } from '../process/journal.ts'
import { SettingsFile } from './file.ts'
import {
  defaultFile,
  type Found,
  kebab,
  type Setting,
  SettingError,
  type Settings,
  snake,
  type Values,
  variables,
} from './settings.ts'
import { cut, faultOf, readText } from './text.ts'

/** A problem or warning about settings that are valid one by one. */
export interface Remark {
  /** It works, but probably not as intended. */
  readonly warning?: boolean
  readonly text: string
}

/** The flag, variable or place that gave a setting; undefined for defaults. */
export type Given<S extends Settings> = (name: keyof S & string) => string | undefined

/** Checks settings against each other, or against this machine. Belongs to the table. */
export type Check<S extends Settings> = (values: Values<S>, given: Given<S>) => readonly Remark[]

export interface Reading<S extends Settings> {
  /** With the default in place of each wrong value. */
  readonly values: Values<S>
  readonly given: Given<S>
  /** All problems, not only the first. */
  readonly problems: readonly string[]
  readonly warnings: readonly string[]
  /** The file that was read. */
  readonly file?: string | undefined
}

export interface Options<S extends Settings> {
  readonly check?: Check<S>
  /** Parent of /etc; `/` except in tests. */
  readonly root?: string
  /** These settings are in no file: false. */
  readonly inFile?: boolean
}

/**
 * @param section the program's name: `probe` or `collector`
 * @param flags as commander gives them
 */
export function inspectSettings<S extends Settings>(
  settings: S,
  section: string,
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  { check, root = '/', inFile = true }: Options<S> = {},
): Reading<S> {
  const problems: string[] = []
  const warnings: string[] = []
  const places = new Map<string, string>()
  const attempt = <T>(read: () => T): T | undefined => {
    try {
      return read()
    } catch (error) {
      if (!(error instanceof SettingError)) throw error
      problems.push(error.message)
      return undefined
    }
  }
  const file = inFile ? attempt(() => fileOf(keysOf(settings), section, flags, env, root)) : undefined
  problems.push(...(file?.problems ?? []))
  const values = Object.entries(settings).map(([name, row]) => {
    const names = [name, ...(row.former === undefined ? [] : [row.former])]
    const flag = names.map(name => fromFlag(name, flags)).find(Boolean)
    const found = flag ?? attempt(() => fromEnv(name, row, env, warnings))
    const last = found ?? names.map(name => file?.get(snake(name))).find(Boolean)
    if (!last) return [name, row.fallback]
    if (row.former !== undefined && isFormer(last.where, row.former))
      warnings.push(`${last.where}: this setting is now called ${kebab(name)}: use the new name`)
    places.set(name, last.where)
    const read = attempt(() => ({ value: parse(row, last) }))
    return [name, read ? read.value : row.fallback]
  })
  const result = Object.fromEntries(values) as Values<S>
  if (file) warnings.push(...secretsIn(file, settings))
  const given: Given<S> = name => places.get(name)
  for (const { warning, text } of check?.(result, given) ?? []) (warning ? warnings : problems).push(text)
  return { values: result, given, problems, warnings, file: file?.path }
}

const keysOf = (settings: Settings): string[] =>
  [...Object.keys(settings), ...Object.values(settings).flatMap(({ former }) => former ?? [])].map(snake)

/** Whether the flag, variable or key has the setting's former name. */
const isFormer = (where: string, former: string): boolean =>
  where === `--${kebab(former)}` || where.toLowerCase().endsWith(snake(former))

/**
 * Prints warnings on standard error if there is a check; only a program that starts has one.
 * @throws {SettingError} naming the flag, variable or line and column
 */
export function readSettings<S extends Settings>(
  settings: S,
  section: string,
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  options: Options<S> & { readonly warn?: (text: string) => void } = {},
): Values<S> {
  const { values, problems, warnings } = inspectSettings(settings, section, flags, env, options)
  const [first, ...more] = problems
  if (first !== undefined)
    throw new SettingError(
      more.length === 0 ? first : `${first} (and ${more.length} more: sockflux config check ${section})`,
    )
  if (options.check) for (const text of warnings) (options.warn ?? say)(text)
  return values
}

/** Never throws: standard error may be full or closed. */
export function say(text: string): void {
  try {
    writeSync(2, withPriority(WARNING, `sockflux: ${text}\n`))
  } catch {
    // there is no other place for the message
  }
}

/** A file named by a flag or a variable must exist; the default one need not. */
function fileOf(
  known: readonly string[],
  section: string,
  flags: Readonly<Record<string, unknown>>,
  env: NodeJS.ProcessEnv,
  root: string,
): SettingsFile | undefined {
  const variable = 'SOCKFLUX_CONFIG'
  const given = flags['config'] as string | undefined
  const path = cut(given ?? env[variable] ?? '')
  if (path) return new SettingsFile(path, given === undefined ? variable : '--config', section, known)
  const usual = join(root, defaultFile(section))
  return isThere(usual) ? new SettingsFile(usual, 'the default file', section, known) : undefined
}

/** True also if it cannot be read, which is reported. */
function isThere(path: string): boolean {
  try {
    statSync(path)
    return true
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code !== 'ENOENT' && code !== 'ENOTDIR'
  }
}

function fromFlag(name: string, flags: Readonly<Record<string, unknown>>): Found | undefined {
  return flags[name] === undefined ? undefined : { value: flags[name], where: `--${kebab(name)}` }
}

/** Splits a list in a variable. A comma before `name=`, `plain`, `curve` or `tls` belongs to the value: `tcp://*:5556,plain,ifid=6`. */
const SEPARATOR = /\s*,(?!\w+=|(?:plain|curve|tls)(?:,|\s|$))\s*/

const separatorOf = (list: true | RegExp): RegExp => (list === true ? SEPARATOR : list)

function fromEnv(name: string, row: Setting, env: NodeJS.ProcessEnv, warnings: string[]): Found | undefined {
  for (const variable of variables(name, row)) {
    const value = cut(env[variable] ?? '', row)
    if (value !== '') return { value: row.list ? value.split(separatorOf(row.list)) : value, where: variable }
    const where = `${variable}_FILE`
    const file = row.secret ? cut(env[where] ?? '') : ''
    if (file === '') continue
    const secret = readText(file, where).trimEnd()
    if (secret === '') throw new SettingError(`${where}: ${file} is empty: write the secret into it`)
    warnings.push(...exposed(file, where))
    return { value: secret, where }
  }
  return undefined
}

/** @throws {SettingError} */
function parse(row: Setting, { value, where, yaml = false }: Found): unknown {
  const secret = row.secret === true
  const clean = (item: unknown): unknown => {
    if (Array.isArray(item)) return item.map(clean)
    if (typeof item !== 'string') return item
    const text = cut(item, { secret })
    const fault = faultOf(text, yaml)
    if (fault) throw new SettingError(`${where}: the text ${fault}`)
    return text
  }
  const cleaned = clean(value)
  const parsed = row.type.safeParse(cleaned, { reportInput: true })
  if (parsed.success) return parsed.data
  const [issue] = parsed.error.issues
  const message = issue?.message ?? 'is wrong'
  if (secret || !message.startsWith('needs')) throw new SettingError(`${where}: ${message}`)
  const [at] = issue?.path ?? []
  // one of a list, which may have been one text with commas
  const wrong = (typeof at === 'number' ? issue?.input : undefined) ?? cleaned
  throw new SettingError(`${where}: ${message}, not ${withoutLogin(JSON.stringify(wrong))}`)
}

/** The part before an `@` may be a password. */
const withoutLogin = (json: string): string => json.replace(/(?<=").*@/s, '…@')

const hasLogin = (value: unknown): boolean => /^\w+:\/\/[^/]*@/.test(String(value))

function secretsIn(file: SettingsFile, settings: Settings): string[] {
  const secrets = Object.entries(settings)
    .filter(([, row]) => row.secret)
    .map(([name]) => snake(name))
  const key = [...file.keys()].find(
    key => secrets.includes(key) || [file.get(key)?.value].flat().some(hasLogin),
  )
  return key === undefined ? [] : exposed(file.path, `${file.path}: ${key}`)
}

/** A warning if users other than the owner can read a file with a secret. Of root's, a group may: a service's is in that group. */
function exposed(path: string, where: string): string[] {
  if (!existsSync(path)) return []
  const { mode, uid } = statSync(path)
  if ((mode & (uid === 0 ? 0o037 : 0o077)) === 0 || !statSync(path).isFile()) return []
  const bits = (mode & 0o777).toString(8).padStart(4, '0')
  return [`${where}: other users can read the secret (${path} has mode ${bits}): chmod 600 ${path}`]
}
