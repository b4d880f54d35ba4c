/** Settings of a running program: read at the start, and again when it is told to. A mistake keeps the former values. */

import { isDeepStrictEqual } from 'node:util'
import { inspectSettings, type Options, type Reading, readSettings } from './read.ts'
import { type Settings, snake, type Values } from './settings.ts'

/** Applies the new value of each setting that needs no restart. */
export type Apply<S extends Settings> = { readonly [K in keyof S]?: (value: Values<S>[K]) => void }

/** What became of a second reading. */
export interface Reloaded {
  /** Why nothing was changed. */
  readonly problem?: string
  readonly warnings: readonly string[]
  /** Names of settings, as in the file: those that have changed, and those that only a restart can change. */
  readonly changed: readonly string[]
  readonly kept: readonly string[]
}

export class LiveSettings<S extends Settings> {
  /** Those in force. */
  values: Values<S>
  readonly #read: () => Reading<S>
  readonly #apply: Apply<S>[] = []

  /** The flags and the environment are those of the start; files are read again. @throws {SettingError} */
  constructor(
    settings: S,
    section: string,
    flags: Readonly<Record<string, unknown>>,
    env: NodeJS.ProcessEnv,
    options: Options<S> = {},
  ) {
    this.values = readSettings(settings, section, flags, env, options)
    this.#read = () => inspectSettings(settings, section, flags, env, options)
  }

  /** These need no restart. */
  onChange(apply: Apply<S>): void {
    this.#apply.push(apply)
  }

  reload(): Reloaded {
    const { values, problems, warnings } = this.#read()
    const [problem, ...more] = problems
    if (problem !== undefined) {
      const others = more.length > 0 ? ` (and ${more.length} more)` : ''
      return { problem: `${problem}${others}`, warnings: [], changed: [], kept: [] }
    }
    const changed: string[] = []
    const kept: string[] = []
    for (const name of Object.keys(values)) {
      if (isDeepStrictEqual(values[name], this.values[name])) continue
      const appliers = this.#apply.flatMap(apply => apply[name] ?? [])
      if (appliers.length > 0) {
        for (const apply of appliers) apply(values[name] as never)
        this.values = { ...this.values, [name]: values[name] }
      }
      ;(appliers.length > 0 ? changed : kept).push(snake(name))
    }
    return { warnings, changed, kept }
  }
}
