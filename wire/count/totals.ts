/** What is counted of a set of flows. */

import { Histogram } from './histogram.ts'

/** What adds up. Microseconds and bytes, as in the records. */
const SUMS = [
  'flows',
  'measured',
  'rttUs',
  'rttVarUs',
  'opened',
  'closed',
  'failed',
  'retransmits',
  'resetsSent',
  'resetsRcvd',
  'bytesSent',
  'bytesRcvd',
  'packetsSent',
  'packetsRcvd',
  'smoothed',
] as const
export type Sum = (typeof SUMS)[number]

/** Of flows with one role. */
export class Totals {
  flows = 0
  /** Flows that exchanged segments in the window and have a measured RTT. */
  measured = 0
  /** Sum over the measured flows. */
  rttUs = 0
  rttVarUs = 0
  opened = 0
  closed = 0
  failed = 0
  retransmits = 0
  resetsSent = 0
  resetsRcvd = 0
  bytesSent = 0
  bytesRcvd = 0
  packetsSent = 0
  packetsRcvd = 0
  /** Flows whose samples are not known one by one: each is in `rtt` with its smoothed RTT. */
  smoothed = 0
  /** Samples of the RTT; undefined while there is none. */
  rtt: Histogram | undefined = undefined
  /** From SYN_SENT to ESTABLISHED; undefined while there is none. */
  connect: Histogram | undefined = undefined

  add(other: Totals): void {
    for (const name of SUMS) this[name] += other[name]
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

/** Flows by role of the local end. */
export class Group {
  readonly client = new Totals()
  readonly server = new Totals()
  /** Running containers without the sandbox, where the group is a pod. */
  containers = 0

  add(other: Group): void {
    this.client.add(other.client)
    this.server.add(other.server)
    this.containers += other.containers
  }
}
