/** The counts of a set of flows. */

import { Histogram } from './histogram.ts'
import { Sums } from './sums.ts'

/** Counts of flows besides the sums of their rows' fields: the column in `flow_total`, and the sum. */
export const COUNTED = {
  flows: 'flows',
  opened: 'opened',
  closed: 'closed',
  failed: 'failed',
  measured: 'measured',
  /** Of `tcp_flow.rtt_us` and `rtt_var_us`, over the measured flows. */
  rtt_sum_us: 'rttUs',
  rtt_var_sum_us: 'rttVarUs',
  smoothed: 'smoothed',
} as const
const COUNTS = Object.values(COUNTED)

/** Of flows with one role. */
export class FlowSums extends Sums {
  flows = 0
  /** Flows that took an RTT sample in the window. */
  measured = 0
  /** Sum over the measured flows. */
  rttUs = 0
  rttVarUs = 0
  opened = 0
  closed = 0
  failed = 0
  /** Measured flows whose samples are not known one by one: each is in `rtt` with its smoothed RTT. */
  smoothed = 0
  /** Samples of the RTT; undefined while there is none. */
  rtt: Histogram | undefined = undefined
  /** From SYN_SENT to ESTABLISHED; undefined while there is none. */
  connect: Histogram | undefined = undefined

  override add(other: FlowSums): void {
    super.add(other)
    for (const name of COUNTS) this[name] += other[name]
    if (other.rtt) this.rttSamples().merge(other.rtt)
    if (other.connect) this.connects().merge(other.connect)
  }

  rttSamples(): Histogram {
    this.rtt ??= new Histogram()
    return this.rtt
  }

  connects(): Histogram {
    this.connect ??= new Histogram()
    return this.connect
  }

  /** Undefined when no flow was measured: never 0. */
  get meanRttUs(): number | undefined {
    return this.measured > 0 ? this.rttUs / this.measured : undefined
  }

  get meanRttVarUs(): number | undefined {
    return this.measured > 0 ? this.rttVarUs / this.measured : undefined
  }
}

type NumbersOf<T> = { [K in keyof T]-?: T[K] extends number ? K : never }[keyof T]
/** Numbers of `FlowSums` that are missing where totals are added or sent: there must be none. */
type Forgotten = Exclude<NumbersOf<FlowSums>, keyof Sums | (typeof COUNTS)[number]>
const nothingIsForgotten: [Forgotten] extends [never] ? true : Forgotten = true
void nothingIsForgotten

/** Flows by role of the local end. */
export class Group {
  readonly client = new FlowSums()
  readonly server = new FlowSums()
  /** Running containers without the sandbox, where the group is a pod. */
  containers = 0

  add(other: Group): void {
    this.client.add(other.client)
    this.server.add(other.server)
    this.containers += other.containers
  }
}
