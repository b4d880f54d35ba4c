/** `sockflux setup influxdb`: what is there, what is missing, the changes. */

import type { Writable } from 'node:stream'
import { print } from '../../client.ts'
import { printable } from '../../printable.ts'
import { Api, type ApiOptions } from './api.ts'
import { isoTime, type Period, periodOf, pieces } from './backfill.ts'
import type { Backfill, Version } from './version.ts'
import { isOn, type Wanted } from './wanted.ts'

const VERSIONS: Readonly<Record<1 | 2 | 3, () => Promise<Version>>> = {
  1: async () => (await import('./v1/version1.ts')).version1,
  2: async () => (await import('./v2/version2.ts')).version2,
  3: async () => (await import('./version3.ts')).version3,
}

/** A statement over a day of windows takes longer than a write. */
const BACKFILL_TIMEOUT_MS = 600_000

export interface Asked {
  readonly connection: ApiOptions
  readonly wanted: Wanted
  readonly dryRun: boolean
  readonly backfill: { readonly from: string; readonly to: string | undefined } | undefined
  readonly out: Writable
}

/** @throws with one sentence; what was printed before it is done */
export async function setUp({ connection, wanted, dryRun, backfill, out }: Asked): Promise<void> {
  checkTimes(wanted)
  const period = backfill && periodOf(backfill.from, backfill.to, wanted)
  const api = new Api(connection)
  const patient = api.with({ timeoutMs: BACKFILL_TIMEOUT_MS })
  const say = (text: string) => print(out, `${printable(text)}\n`)
  try {
    const { major, shown } = await api.version()
    const version = await VERSIONS[major]()
    await say(`InfluxDB ${shown} at ${api.server.url}, database "${wanted.database}"`)
    const plan = await version.plan(api, wanted)
    for (const { shows, run } of plan.steps) {
      if (!dryRun) await run()
      await say(`${dryRun ? 'would' : 'done'}  ${shows}`)
    }
    for (const note of plan.notes) await say(`note  ${note}`)
    await say(summary(plan.steps.length, dryRun))
    if (period) {
      const again = (await version.plan(patient, wanted)).backfill
      if (!again) throw new Error(`--backfill: InfluxDB ${shown} has no coarser series`)
      await fill(again, period, dryRun, say)
    }
  } finally {
    api.close()
    patient.close()
  }
}

function summary(count: number, dryRun: boolean): string {
  if (count === 0) return 'nothing to change'
  return `${count} ${count === 1 ? 'change' : 'changes'}${dryRun ? ' to make; nothing was done (--dry-run)' : ' made'}`
}

async function fill(
  again: Backfill,
  period: Period,
  dryRun: boolean,
  say: (text: string) => Promise<unknown>,
): Promise<void> {
  for (const { from, to } of pieces(period)) {
    const points = dryRun ? undefined : await again(from, to)
    const what = `minutes and hours again from ${isoTime(from)} to ${isoTime(to)}`
    await say(
      `${dryRun ? 'would' : 'done'}  compute ${what}${points === undefined ? '' : `: ${points} points`}`,
    )
  }
}

/** @throws if a run would compute points of which some windows have expired */
function checkTimes({ keepRaw, resolutions }: Wanted): void {
  const longest = Math.max(0, ...resolutions.filter(isOn).map(({ again }) => again))
  if (keepRaw < longest)
    throw new Error(
      `--keep-raw: each run computes the last ${Math.ceil(longest / 3600)}h again, and the windows are gone before: keep them longer, or lower --late-by`,
    )
}
