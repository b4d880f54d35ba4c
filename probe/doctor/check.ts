/** What a check is given and what it says. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Places } from '../identify/places.ts'

export interface Env {
  /** Absolute paths are looked up below it; `/` but in tests. */
  readonly root: string
  /** As `uname -r` says. */
  readonly release: string
  /** The BPF object of the probe. */
  readonly object: () => Promise<string>
  /** Endpoints that the probe sends to. */
  readonly collectors: readonly string[]
  /** Where names of containers are looked for. */
  readonly places: Omit<Places, 'kubernetes' | 'nodeName' | 'label'>
  /** The collector's unix socket. */
  readonly socket: string
  readonly influx?: { readonly url: string; readonly ca?: string | undefined; readonly insecure: boolean }
  readonly timeoutMs: number
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

type Findings = Finding | readonly Finding[]
export type Check = (env: Env) => Findings | Promise<Findings>

export const codeOf = (error: unknown): string => (error as NodeJS.ErrnoException).code ?? 'unknown error'

/** Text of a file, or undefined where it is not to be had. */
export function textIn(env: Pick<Env, 'root'>, path: string): string | undefined {
  try {
    return readFileSync(join(env.root, path), 'utf8')
  } catch {
    return undefined
  }
}

/** A problem as one sentence with its remedy. */
export const sentenceOf = ({ found, remedy }: Pick<Finding, 'found' | 'remedy'>): string =>
  remedy ? `${found}: ${remedy}` : found
