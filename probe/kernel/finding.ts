/** What a look at this host found. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Where it is looked. */
export interface Host {
  /** Absolute paths are looked up below it; `/` but in tests. */
  readonly root: string
  /** As `uname -r` says. */
  readonly release: string
}

export interface Finding {
  readonly name: string
  /** What it belongs to. */
  readonly area?: string
  /** false: the probe cannot run; warn: it runs with less. */
  readonly ok: boolean | 'warn'
  readonly found: string
  /** What to do about it; always there when something is to be done. */
  readonly remedy?: string
}

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error'

/** Text of a file, or undefined where it is not to be had. */
export function textIn(host: Pick<Host, 'root'>, path: string): string | undefined {
  try {
    return readFileSync(join(host.root, path), 'utf8')
  } catch {
    return undefined
  }
}

/** A problem as one sentence with its remedy. */
export const sentenceOf = ({ found, remedy }: Pick<Finding, 'found' | 'remedy'>): string =>
  remedy ? `${found}: ${remedy}` : found
