/** The ledger over restarts: a file that is replaced as a whole, so that whoever reads it finds all of it. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ownDirectory } from '../../wire/spool/directory.ts'
import type * as sinks from '../sinks/account.ts'
import { REASONS, type Settlement } from './windows.ts'

const VERSION = 1

export interface Saved {
  /** When the first of the processes began to count: RFC 3339. */
  readonly since: string
  /** By host. */
  readonly probes: Readonly<Record<string, Settlement>>
  /** By sink and what it writes to. */
  readonly sinks: Readonly<Record<string, sinks.Settlement>>
}

export class LedgerFile {
  readonly path: string
  #working: Promise<void> | undefined
  #last = ''

  /** @param socket of the collector: two of them on one machine have a file each */
  constructor(directory: string, socket: string) {
    const name = createHash('sha256').update(socket).digest('hex').slice(0, 8)
    this.path = join(directory, `ledger-${name}.json`)
  }

  /** @returns undefined when there is none that can be read */
  load(): Saved | undefined {
    try {
      const saved = JSON.parse(readFileSync(this.path, 'utf8')) as Saved & { version: unknown }
      return saved.version === VERSION && isSaved(saved) ? saved : undefined
    } catch {
      return undefined
    }
  }

  /** One write at a time, and none when nothing has changed. */
  async save(saved: Saved): Promise<void> {
    const text = `${JSON.stringify({ version: VERSION, ...saved })}\n`
    if (this.#working || text === this.#last) return
    this.#working = this.#write(text).catch(() => {}) // the spool says what is wrong with the disk
    await this.#working
    this.#working = undefined
  }

  /** The last one. */
  async close(saved: Saved): Promise<void> {
    await this.#working
    await this.save(saved)
  }

  async #write(text: string): Promise<void> {
    ownDirectory(dirname(this.path))
    await rm(`${this.path}.new`, { force: true })
    await writeFile(`${this.path}.new`, text, { mode: 0o600, flag: 'wx' })
    await rename(`${this.path}.new`, this.path)
    this.#last = text
  }
}

const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0
const isAmount = (first: string, second: string) => (value: unknown) => {
  const amount = (value ?? {}) as Record<string, unknown>
  return isCount(amount[first]) && isCount(amount[second])
}
const isWindows = isAmount('windows', 'rows')
const isSamples = isAmount('batches', 'samples')

function isSaved({ since, probes, sinks }: Saved): boolean {
  return (
    !Number.isNaN(Date.parse(since)) &&
    Object.values(probes).every(
      ({ stored, refused, lost }) =>
        [stored, refused].every(isWindows) && REASONS.every(reason => isWindows(lost[reason])),
    ) &&
    Object.values(sinks).every(({ stored, refused, lost }) =>
      [stored, refused, ...Object.values(lost)].every(isSamples),
    )
  )
}
