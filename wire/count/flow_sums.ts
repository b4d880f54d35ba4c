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
  failed_refused: 'failedRefused',
  failed_reset: 'failedReset',
  failed_timeout: 'failedTimeout',
  failed_unreachable: 'failedUnreachable',
  rates: 'rates',
  rate_sum: 'rateSum',
  app_limited: 'appLimited',
} as const
const COUNTS = Object.values(COUNTED)
/** Of which the largest counts, as of the peaks of rows. */
export const COUNTED_PEAKS = { rate_max: 'rateMax' } as const
const PEAKS = Object.values(COUNTED_PEAKS)

/** Distributions of flows: the prefix of its columns in `flow_total`, and its name here. */
export const DISTRIBUTIONS = { connect: 'connect', min_rtt: 'minRtt', queueing: 'queueing' } as const
type Distribution = (typeof DISTRIBUTIONS)[keyof typeof DISTRIBUTIONS]
const ALL_DISTRIBUTIONS = ['rtt', ...Object.values(DISTRIBUTIONS)] as const

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
  /** Of the failed ones, why: `sock.sk_err`. */
  failedRefused = 0
  failedReset = 0
  failedTimeout = 0
  failedUnreachable = 0
  /** Flows with a rate sample that their program did not limit; its sum, bytes a second. */
  rates = 0
  rateSum = 0
  rateMax = 0
  /** Flows whose rate sample is what their program sent. */
  appLimited = 0
  /** `enum tcp_known`: what was read of the sockets; the rest is unknown, not 0. */
  known = 0
  /** Samples of the RTT; undefined while there is none. */
  rtt: Histogram | undefined = undefined
  /** From SYN_SENT to ESTABLISHED; undefined while there is none. */
  connect: Histogram | undefined = undefined
  /** The smallest RTT of each measured flow, and how far its smoothed RTT is above it; undefined while there is none. */
  minRtt: Histogram | undefined = undefined
  queueing: Histogram | undefined = undefined

  override add(other: FlowSums): void {
    super.add(other)
    for (const name of COUNTS) this[name] += other[name]
    for (const name of PEAKS) this[name] = Math.max(this[name], other[name])
    this.known |= other.known
    for (const name of ALL_DISTRIBUTIONS) {
      const values = other[name]
      if (values) this.distribution(name).merge(values)
    }
  }

  distribution(name: Distribution | 'rtt'): Histogram {
    this[name] ??= new Histogram()
    return this[name]
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
type Forgotten = Exclude<
  NumbersOf<FlowSums>,
  keyof Sums | (typeof COUNTS)[number] | (typeof PEAKS)[number] | 'known'
>
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
