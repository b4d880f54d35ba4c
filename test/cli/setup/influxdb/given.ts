import { Writable } from 'node:stream'
import { type Asked, setUp } from '../../../../cli/setup/influxdb/main.ts'
import { resolutionsOf } from '../../../../cli/setup/influxdb/resolutions.ts'
import type { Wanted } from '../../../../cli/setup/influxdb/wanted.ts'
import { catalogue } from '../../../../collector/metrics/catalogue.ts'

export const DAY = 86_400
const HOUR = 3600

export const resolutions = (keepMinutes = '180d', keepHours = '730d') =>
  resolutionsOf({ keepMinutes, keepHours }, 2 * HOUR)

export interface Given {
  readonly wanted?: Partial<Wanted>
  readonly connection?: Partial<Asked['connection']>
  readonly dryRun?: boolean
  readonly backfill?: Asked['backfill']
}

/** Three measurements are enough where all of them would only take longer. */
export const few = catalogue.filter(({ name }) =>
  ['container:rtt_dist', 'container:tcp', 'host:cpu'].includes(name),
)

/** Runs the set-up as the command does. @returns what it printed, by line, without the first one */
export async function setup(url: string, { wanted, connection, dryRun = false, backfill }: Given = {}) {
  const lines: string[] = []
  const out = new Writable({
    write(chunk: Buffer, _, done) {
      lines.push(...chunk.toString().trimEnd().split('\n'))
      done()
    },
  })
  const database = wanted?.database ?? 'flows'
  const full = {
    policy: undefined,
    org: undefined,
    keepRaw: 30 * DAY,
    resolutions: resolutions(),
    metrics: few,
  }
  await setUp({
    connection: {
      ...{ url, database, org: wanted?.org, version: undefined, ca: undefined, insecure: false },
      ...{ timeoutMs: 10_000, env: {} },
      ...connection,
    },
    wanted: {
      ...{ ...full, database, shorten: false, credentials: undefined, now: Date.now() / 1000 },
      ...wanted,
    },
    dryRun,
    backfill,
    out,
  })
  return lines.slice(1)
}
