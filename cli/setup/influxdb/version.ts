import type { Api } from './api.ts'
import type { Plan } from './step.ts'
import type { Wanted } from './wanted.ts'

/** What the set-up needs of a version of InfluxDB. */
export interface Version {
  /** Reads, and changes nothing. */
  plan(api: Api, wanted: Wanted): Promise<Plan & { readonly backfill?: Backfill }>
}
/** Computes the coarser series of a period again. @returns points written, if the server tells it */
export type Backfill = (from: number, to: number) => Promise<number | undefined>
