/**
 * The spools of the sinks, a directory each: `influxdb-0a1b2c3d4e5f`, named by what the sink writes to. Samples of one
 * database never go to another: what waits for a target that is not there any more is reported, and grows old.
 */

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Logger } from 'pino'
import { readForeign, refuseForeign } from '../../wire/process/foreign.ts'
import { ownDirectory } from '../../wire/spool/directory.ts'
import { COLLECTOR, spoolDirectory } from '../../wire/spool/place.ts'
import { openSpool } from '../../wire/spool/spool.ts'
import type { Spool, SpoolOptions } from '../../wire/spool/types.ts'

export interface SpoolSettings {
  readonly spool: string | undefined
  readonly spoolSize: number
  /** Hours. */
  readonly spoolAge: number
}

/** Of a sink; undefined when it has none. */
export type SpoolPlace = Pick<SpoolOptions, 'directory' | 'maxBytes' | 'maxAgeMs'> | undefined

const HOUR_MS = 3_600_000
/** In the directory of a sink: its target, for people; and the spool itself. */
const TARGET = 'target'
const MAX_TARGET_BYTES = 2 ** 16
const QUEUE = 'queue'

/**
 * @returns undefined when nothing is to be kept on disk
 * @throws for root, when it is another user's
 */
export function collectorDirectory(spool: string | undefined): string | undefined {
  const directory = spoolDirectory(spool)
  if (directory === undefined) return undefined
  refuseForeign(directory, '--spool')
  return join(directory, COLLECTOR)
}

const boundsOf = ({ spoolSize, spoolAge }: SpoolSettings) => ({
  maxBytes: spoolSize,
  maxAgeMs: spoolAge * HOUR_MS,
})

const nameOf = (sink: string, target: string): string =>
  `${sink}-${createHash('sha256').update(target).digest('hex').slice(0, 12)}`

/** What a queue needs to know of its spool. A directory that cannot be made now is made when it can be. */
export function spoolOf(settings: SpoolSettings, sink: string, target: string | undefined): SpoolPlace {
  const directory = collectorDirectory(settings.spool)
  if (directory === undefined || target === undefined) return undefined
  const own = join(directory, nameOf(sink, target))
  try {
    ownDirectory(own)
    writeFileSync(join(own, TARGET), `${sink} ${target}\n`, { mode: 0o600 })
  } catch {
    // the spool says why
  }
  return { directory: join(own, QUEUE), ...boundsOf(settings) }
}

/** The targets in this directory, by what they are called. */
export function targetsIn(directory: string): { name: string; target: string; path: string }[] {
  const names = existsSync(directory) ? readdirSync(directory).sort() : []
  return names.flatMap(name => {
    const path = join(directory, name)
    try {
      return [
        { name, target: readForeign(join(path, TARGET), MAX_TARGET_BYTES).trim(), path: join(path, QUEUE) },
      ]
    } catch {
      return [] // it is no spool of ours
    }
  })
}

/** Spools of targets that the settings do not name any more. */
export class LeftSpools {
  readonly #left: Spool[] = []
  /** Samples that grew too old, by sink. */
  readonly lost: Record<string, number> = {}

  /** @param used directories of the sinks that are open */
  static async open(
    settings: SpoolSettings,
    used: readonly (string | undefined)[],
    log: Logger,
  ): Promise<LeftSpools> {
    const left = new LeftSpools()
    const directory = collectorDirectory(settings.spool)
    for (const { name, target, path } of directory === undefined ? [] : targetsIn(directory)) {
      if (used.includes(path)) continue
      try {
        await left.#open(settings, join(directory!, name), target, path, log)
      } catch (error) {
        log.warn(`${(error as Error).message}; what is in it waits`)
      }
    }
    return left
  }

  expire(): void {
    for (const spool of [...this.#left]) {
      spool.expire()
      if (spool.stats.records > 0) continue
      this.#left.splice(this.#left.indexOf(spool), 1)
      void spool.close() // its directory stays: another collector may use it
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.#left.splice(0).map(spool => spool.close()))
  }

  async #open(
    settings: SpoolSettings,
    path: string,
    target: string,
    directory: string,
    log: Logger,
  ): Promise<void> {
    const [sink = ''] = target.split(' ')
    const spool = await openSpool({
      ...{ directory, ...boundsOf(settings) },
      found: () => {},
      dropped: (_, reason, { rows }) => {
        const key = `${sink}/${reason === 'damaged' ? 'spool_damaged' : 'spool_old'}`
        this.lost[key] = (this.lost[key] ?? 0) + rows
      },
    })
    this.#left.push(spool)
    const { records, rows } = spool.stats
    if (records > 0)
      log.warn(
        `${records} batches with ${rows} samples in ${path} wait for ${target}, which is not written to any more; ` +
          `they are dropped after ${settings.spoolAge} hours: name that target again, or remove the directory`,
      )
    this.expire()
  }
}
