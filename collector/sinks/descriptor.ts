/** The descriptor of a sink. The collector needs it and one line in `index.ts`, nothing else. */

import type { Logger } from 'pino'
import type { z } from 'zod'
import type { Given, Remark } from '../../wire/settings/read.ts'
import { type Settings, setting, type Values } from '../../wire/settings/settings.ts'
import type { Profile } from '../metrics/catalogue.ts'
import type { Routes, Web } from '../routes.ts'
import type { HistorySource } from './history.ts'
import type { Sink } from './sink.ts'

/** What its batches must contain. */
export interface Wants {
  /** The measurements and tags of `--profile`, or all of them, whatever the profile; or none. */
  readonly samples: 'profile' | 'all' | 'none'
  /** All values of rows with a distribution. If no sink wants them, they are not copied. */
  readonly distributions: boolean
  /** Records of conversations: it takes them if they are made, or they are made for it. */
  readonly flows?: 'if made' | 'always'
}

/** What a sink gets besides its own settings. */
export interface Context {
  readonly profile: Profile
  /** The collector's version. */
  readonly version: string
  readonly log: Logger
}

/** By setting: what applies a new value. */
export type Live = Readonly<Record<string, (value: never) => void>>

/** An open sink, with its routes, pages and counters. */
export interface Opened {
  readonly sink: Sink
  /**
   * What it writes to, in words without secrets: `http://127.0.0.1:8086 sockflux`. Of a server that may be away: what it
   * has not stored goes to disk, by this name.
   */
  readonly target?: string
  /** Whose batches it takes, where there are several of its kind; each host has one of them. */
  readonly isFor?: (host: string) => boolean
  readonly routes?: Routes
  /** Pages over TCP, and the address they are served at. */
  readonly web?: Web
  /** What it has stored, for charts. */
  readonly history?: HistorySource
  /** For `/stats`, in addition to the queue's counters. */
  readonly counters?: () => Readonly<Record<string, number>>
  /** Those of its settings that can change while it is open. */
  readonly live?: Live
  /** For `/readyz`: why it cannot take batches, or undefined. The queue itself reports that it is full. */
  readonly unready?: () => string | undefined
}

export interface Descriptor<S extends Settings = Settings> {
  readonly name: string
  /** Its rows of the collector's settings. */
  readonly settings: S
  readonly wants: Wants
  /** Chosen by `--sink`, or open whenever its settings name an address. */
  readonly chosen: 'by name' | 'by its settings'
  /** Without `--sink`, the first sink that is configured is opened; if none is, the fallback. */
  readonly isFallback?: true
  /** Its settings are enough to open it. */
  isConfigured(options: Values<S>): boolean
  /**
   * What holds between its settings, or between them and this machine.
   * @param isOpen whether it is to be open
   */
  check?(options: Values<S>, given: Given<S>, isOpen: boolean): readonly Remark[]
  /** A point that it has and gets again is one point: windows can be replayed into it. */
  readonly overwrites?: true
  /** `sockflux query` asks it. */
  readonly answersQueries?: true
  /** @throws with the remedy */
  open(options: Values<S>, context: Context): Promise<Opened | readonly Opened[]>
  /** Routes that answer instead of its own while it is not open. */
  readonly closed?: Routes
}

/** Keeps the type of its settings. */
export const descriptor = <const S extends Settings>(given: Descriptor<S>): Descriptor<S> => given

/** A setting that is optional. */
export const optional = <T>(row: {
  type: z.ZodType<T>
  help: string
  value?: string
  env?: string[]
  secret?: boolean
}) => setting<T | undefined>({ ...row, fallback: undefined })
