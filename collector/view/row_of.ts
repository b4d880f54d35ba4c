/** A row of what was counted of a group. */

import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import { Histogram } from '../../wire/count/histogram.ts'
import type { TopRow } from './rows.ts'

/** What a row is of. */
export type Whose = Pick<TopRow, 'id' | 'name' | 'pod' | 'namespace'> &
  Partial<Pick<TopRow, 'owner' | 'ownerId' | 'parts' | 'process'>>

const US_IN_MS = 1000

/** @param interval seconds */
export function rowOf({ client, server }: Group, interval: number, whose: Whose): TopRow {
  const both = (of: (sums: FlowSums) => number) => of(client) + of(server)
  const measured = both(sums => sums.measured)
  const mean = (of: (sums: FlowSums) => number) => (measured > 0 ? both(of) / measured / US_IN_MS : null)
  const samples = together(client.rtt, server.rtt)
  const quantile = (share: number) => {
    const us = samples?.quantile(share)
    return us === undefined ? null : us / US_IN_MS
  }
  const perSecond = (of: (sums: FlowSums) => number) => both(of) / interval
  return {
    owner: '',
    ownerId: '',
    parts: 1,
    ...whose,
    asClient: client.flows,
    asServer: server.flows,
    rtt: mean(sums => sums.rttUs),
    rttVariance: mean(sums => sums.rttVarUs),
    rttP50: quantile(0.5),
    rttP95: quantile(0.95),
    rttP99: quantile(0.99),
    sentPerSecond: perSecond(sums => sums.bytesSent),
    rcvdPerSecond: perSecond(sums => sums.bytesRcvd),
    openedPerSecond: perSecond(sums => sums.opened),
    opened: both(sums => sums.opened),
    closed: both(sums => sums.closed),
    failed: both(sums => sums.failed),
    packetsSent: both(sums => sums.packetsSent),
    retransmits: both(sums => sums.retransmits),
    resets: both(sums => sums.resetsSent + sums.resetsRcvd),
    udpDropped: both(sums => sums.udpDropped),
    lostSegments: both(sums => sums.lostSegments),
    waiting: 0,
    trend: [],
  }
}

function together(a: Histogram | undefined, b: Histogram | undefined): Histogram | undefined {
  if (!a || !b) return a ?? b
  const all = new Histogram()
  all.merge(a)
  all.merge(b)
  return all
}

export const rateOf = ({
  sentPerSecond,
  rcvdPerSecond,
}: Pick<TopRow, 'sentPerSecond' | 'rcvdPerSecond'>): number => sentPerSecond + rcvdPerSecond
