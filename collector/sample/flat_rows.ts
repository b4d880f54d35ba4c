/** Rows that belong to no flow: figures of hosts and of the programs themselves, and what was lost. */

import type { FlatRow } from '../fold/records/record.ts'
import type { Folded } from '../ingest/folded.ts'
import type { FlatMetric } from '../metrics/metric.ts'

/** By what the metrics call their source. */
export type FlatRows = Readonly<Partial<Record<FlatMetric['source'], readonly FlatRow[]>>>

/** Those of one host's window. */
export function rowsOf({ fold, lost }: Folded): FlatRows {
  return {
    iface: fold.flat('iface'),
    host_cpu: fold.flat('host_cpu'),
    host_mem: fold.flat('host_mem'),
    probe_stats: fold.flat('probe_stats'),
    lost: lostRows(lost),
  }
}

/** `stage/reason` and how often. */
export function lostRows(lost: Readonly<Record<string, number>>): FlatRow[] {
  return Object.entries(lost).map(([name, count]) => {
    const [stage = '', ...reason] = name.split('/')
    return { tags: { stage, reason: reason.join('/') }, numbers: { count } }
  })
}
