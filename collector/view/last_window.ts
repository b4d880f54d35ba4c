/** The last window of one host, as a person sees it, with what is remembered of the minute before it. */

import type { Folded } from '../ingest/folded.ts'
import { interfacesOf } from './interfaces.ts'
import { levelsOf } from './levels.ts'
import { rateOf, rowOf } from './row_of.ts'
import { LEVELS, type Level, type TopHost, type TopRow, type Trouble } from './rows.ts'
import { Trends, windowsIn } from './trend.ts'
import { troublesOf } from './troubles.ts'

/** Who waits for an answer: connections of one host whose SYN nobody has answered. */
export interface Waiting {
  readonly troubles: readonly Trouble[]
  /** How many there are of a row. */
  of(level: Level, id: string): number
}

export const NOBODY_WAITS: Waiting = { troubles: [], of: () => 0 }

export class LastWindow {
  readonly #trends = Object.fromEntries(
    [...LEVELS, 'interfaces'].map(level => [level, new Trends()]),
  ) as Readonly<Record<Level | 'interfaces', Trends>>
  /** Losses of the windows of the last minute. */
  #losses: readonly Folded['lost'][] = []

  /** @param most rows of each level */
  take({ key, time, partial, interval, fold, lost }: Folded, most: number, waiting: Waiting): TopHost {
    const levels = levelsOf(fold, most)
    this.#losses = [...this.#losses, lost].slice(-windowsIn(interval))
    const rowsOf = (level: Level): TopRow[] => {
      const rows = levels[level].shown.map(({ group, whose }) => ({
        ...rowOf(group, interval, whose),
        waiting: waiting.of(level, whose.id),
      }))
      return this.#trends[level].add(rows, interval, rateOf)
    }
    const rows = Object.fromEntries(LEVELS.map(level => [level, rowsOf(level)])) as Record<Level, TopRow[]>
    const all = [fold.host, ...fold.containers.values()]
    const seen = { ...rows, partial, lost: sumOf(this.#losses) }
    return {
      host: key.host,
      time,
      interval,
      ...seen,
      interfaces: this.#trends.interfaces.add(interfacesOf(fold, interval), interval, rateOf),
      total: Object.fromEntries(LEVELS.map(level => [level, levels[level].all])) as Record<Level, number>,
      flows: all.reduce((sum, { client, server }) => sum + client.flows + server.flows, 0),
      troubles: troublesOf(seen, waiting.troubles),
    }
  }
}

function sumOf(losses: readonly Folded['lost'][]): Record<string, number> {
  const sum: Record<string, number> = {}
  for (const lost of losses)
    for (const [reason, count] of Object.entries(lost))
      if (count > 0) sum[reason] = (sum[reason] ?? 0) + count
  return sum
}
