/** What a sink says of itself. Its descriptor, and a line in `index.ts`, are all that the collector knows of it. */

import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Given, Remark } from '../../wire/settings/read.ts'
import { type Settings, setting, type Values } from '../../wire/settings/settings.ts'
import type { Profile } from '../metrics/catalogue.ts'
import type { Address, Pages, Routes } from '../routes.ts'
import type { Sink } from './sink.ts'

/** What its batches are to have. */
export interface Wants {
  /** The measurements and tags of `--profile`, or all, whatever the profile is. */
  readonly samples: 'profile' | 'all'
  /** All values of the rows that have them; where no sink wants these, they are not copied. */
  readonly distributions: boolean
}

/** What a sink is told besides its own settings. */
export interface Context {
  readonly profile: Profile
  /** Of the collector. */
  readonly version: string
  readonly log: Logger
}

/** A sink that is open, and what else it has. */
export interface Opened {
  readonly sink: Sink
  readonly routes?: Routes
  /** Pages over TCP, and where. */
  readonly web?: { readonly address: Address; readonly pages: Pages }
  /** For `/stats`, beside those of the queue. */
  readonly counters?: () => Readonly<Record<string, number>>
  /** For `/readyz`: why it cannot take what it is given; undefined when it can. A full queue is told without it. */
  readonly unready?: () => string | undefined
}

export interface Descriptor<S extends Settings = Settings> {
  readonly name: string
  /** Its rows among the collector's settings. */
  readonly settings: S
  readonly wants: Wants
  /** Named by `--sink`, or open whenever its settings say where. */
  readonly chosen: 'by name' | 'by its settings'
  /** Where no sink is named, the first whose settings say enough is open; without any of those, the fallback. */
  readonly isFallback?: true
  /** Its settings say enough. */
  isConfigured(options: Values<S>): boolean
  /**
   * What holds between its settings, or between them and this machine.
   * @param isOpen whether it is to be open
   */
  check?(options: Values<S>, given: Given<S>, isOpen: boolean): readonly Remark[]
  /** `sockflux query` asks it. */
  readonly answersQueries?: true
  /** @throws with the remedy */
  open(options: Values<S>, context: Context): Promise<Opened>
  /** What is answered in place of its routes while it is not open. */
  readonly closed?: Routes
}

/** Keeps the type of its settings. */
export const descriptor = <const S extends Settings>(given: Descriptor<S>): Descriptor<S> => given

/** A setting that may be left out. */
export const optional = <T>(row: {
  type: z.ZodType<T>
  help: string
  value?: string
  env?: string[]
  secret?: boolean
}) => setting<T | undefined>({ ...row, fallback: undefined })
