/** Rows that belong to no flow: figures of hosts and of the programs themselves, and what was lost. */

import type { FlatRow } from '../fold/records/record.ts'
import type { Folded } from '../ingest/folded.ts'
import type { FlatMetric } from '../metrics/metric.ts'

/** By what the metrics call their source. */
export type FlatRows = Readonly<Partial<Record<FlatMetric['source'], readonly FlatRow[]>>>

/** Those of one host's window. */
export function rowsOf(window: Folded): FlatRows {
  const { fold, lost, flowCounts: { pods, ...flowCounts } = {} } = window
  return {
    coverage: [coverageOf(window)],
    iface: fold.flat('iface'),
    host_cpu: fold.flat('host_cpu'),
    host_mem: fold.flat('host_mem'),
    probe_stats: fold.flat('probe_stats'),
    lost: lostRows(lost),
    conntrack: conntrackOf(fold.flat('host_conntrack'), pods),
    ...flowCounts,
  }
}

/** A kernel that tracks nothing has pods all the same. */
function conntrackOf(rows: readonly FlatRow[] = [], pods: number | undefined): readonly FlatRow[] {
  if (pods === undefined) return rows
  const [{ tags, numbers } = { tags: {}, numbers: {} }] = rows
  return [{ tags, numbers: { ...numbers, pods } }]
}

const WHOLE = 10_000

/** Shares in 1/100 %. How many rows are missing of a window without its end is not known. */
function coverageOf({ complete, made, fold }: Folded): FlatRow {
  const windows = complete ? WHOLE : 0
  const came = fold.rows + fold.unread
  if (made !== undefined) return coverage({ windows, rows: came < made ? (came / made) * WHOLE : WHOLE })
  return coverage(complete ? { windows, rows: WHOLE } : { windows })
}

const coverage = (numbers: FlatRow['numbers']): FlatRow => ({ tags: {}, numbers })

/** Those of a window that never came. */
export const nothingCame: FlatRows = { coverage: [coverage({ windows: 0, rows: 0 })] }

/** `stage/reason` and how often. */
export function lostRows(lost: Readonly<Record<string, number>>): FlatRow[] {
  return Object.entries(lost).map(([name, count]) => {
    const [stage = '', ...reason] = name.split('/')
    return { tags: { stage, reason: reason.join('/') }, numbers: { count } }
  })
}
