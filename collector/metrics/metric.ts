/** What a row of the metric tables says. InfluxDB, the catalogue and the dashboard check all read these rows. */

import type { NumberField, TcpFlow } from '../../probe/wire/records.ts'

/** Whose flows are folded. */
export type Level = 'container' | 'pod' | 'host'

export interface Metric {
  /** `prefix:suffix` */
  readonly name: string
  readonly level: Level
  /**
   * `flows`: how many; `mean`: of a field over the flows that exchanged segments in the window and have a measured RTT;
   * `containers`: how many run.
   */
  readonly fold: 'flows' | 'mean' | 'containers'
  /** The field of the record that is folded. */
  readonly source?: NumberField<TcpFlow>
  /** By role of the local end, or one number. */
  readonly fields: readonly ['as_client', 'as_server'] | readonly [string]
  /** Units of the source in one unit of the sample: converted once, when the sample is made. */
  readonly divisor: number
  readonly unit: string
  readonly help: string
  /** Part of `profile: ntopng`. */
  readonly ntopng: boolean
}
