/** What was lost, what it means, and what the collector itself is doing. */

import { lossOf } from '../../wire/losses.ts'
import type { Counters } from '../counters.ts'

export interface LossRow {
  readonly whose: 'probes' | 'collector'
  readonly reason: string
  readonly count: number
  readonly unit: string
  readonly means: string
  readonly remedy: string
}

export interface Health {
  /** Why the collector should be given nothing now; null when it is ready. */
  readonly unready: string | null
  readonly stats: Readonly<Record<string, number>>
  readonly lost: readonly LossRow[]
  readonly sinks: unknown
}

/** @param unready why it should be given nothing now; undefined when it is ready */
export function healthOf(counters: Counters, unready: string | undefined): Health {
  const { stats, lost } = counters.totals()
  const { probes = {}, sinks = {} } = counters.view() as { probes?: Record<string, number>; sinks?: unknown }
  return {
    unready: unready ?? null,
    stats,
    lost: [...rowsOf('probes', probes), ...rowsOf('collector', lost)],
    sinks,
  }
}

const rowsOf = (whose: LossRow['whose'], lost: Readonly<Record<string, number>>): LossRow[] =>
  Object.entries(lost)
    .filter(([, count]) => count > 0)
    .map(([reason, count]) => {
      const { unit = '', means = '', remedy = '' } = lossOf(reason) ?? {}
      return { whose, reason, count, unit, means, remedy: remedy.replaceAll('`', '') }
    })
    .sort((a, b) => b.count - a.count)
