/** The result of a check of this host. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The host that is checked. */
export interface Host {
  /** Absolute paths are looked up below it; `/` except in tests. */
  readonly root: string
  /** As in `uname -r`. */
  readonly release: string
}

export interface Finding {
  readonly name: string
  /** The part of the host that it belongs to. */
  readonly area?: string
  /** false: the probe cannot run; warn: it runs with less. */
  readonly ok: boolean | 'warn'
  readonly found: string
  /** What to do; present whenever something can be done. */
  readonly remedy?: string
}

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error'

/** Text of a file; undefined when it cannot be read. */
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
