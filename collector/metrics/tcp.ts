/** What only TCP has: every RTT sample, connections that came and went, and how long it took to connect. */

import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import type { Histogram } from '../../wire/count/histogram.ts'
import { KNOWN_SEGMENTS } from '../../wire/records.ts'
import type { Coarse } from './coarse.ts'
import { type Field, type FlowLevel, type FlowMetric, groupOf, LEVELS } from './metric.ts'

const sample = <Name extends string>(
  name: Name,
  help: string,
  of: (rtt: Histogram) => number | undefined,
  coarse: Coarse = 'mean',
): Field<FlowSums, Name> => ({
  name,
  type: 'gauge',
  unit: 'ms',
  help,
  coarse,
  of: ({ rtt }) => rtt && of(rtt),
})

const rttDist = <Level extends (typeof LEVELS)[number]>(level: Level) =>
  ({
    name: `${level}:rtt_dist` as const,
    level,
    group: 'rtt_dist',
    dimensions: ['role'] as const,
    fields: [
      {
        ...sample('samples', 'RTT samples, and smoothed_flows', rtt => rtt.count || undefined, 'sum'),
        unit: 'samples',
      },
      sample('min', 'the smallest, exact', rtt => rtt.min, 'min'),
      sample('mean', 'the mean, exact', rtt => rtt.mean),
      sample('stddev', 'standard deviation, exact', rtt => rtt.stddev),
      sample('p50', 'median, at most 3.2 % off from 8 us to 67 s', rtt => rtt.quantile(0.5), 'max'),
      sample('p95', '95th percentile, the same', rtt => rtt.quantile(0.95), 'max'),
      sample('p99', '99th percentile, the same', rtt => rtt.quantile(0.99), 'max'),
      sample('max', 'the largest, exact', rtt => rtt.max, 'max'),
      {
        name: 'smoothed_flows' as const,
        type: 'gauge',
        unit: 'flows',
        coarse: 'sum',
        help: 'flows whose samples are not known, each in it once with its smoothed RTT',
        of: ({ rtt, smoothed }: FlowSums) => rtt && smoothed,
      },
    ],
    distribution: ({ rtt }: FlowSums) => rtt,
    help: 'distribution of all RTT samples of the window',
    ntopng: false,
  }) satisfies FlowMetric

const counter = <Name extends string>(
  name: Name,
  unit: Field<FlowSums>['unit'],
  help: string,
  of: (totals: FlowSums) => number | undefined,
): Field<FlowSums, Name> => ({ name, type: 'counter', unit, help, of })

/** Absent with a probe that did not read it. */
const known = (of: (totals: FlowSums) => number | undefined) => (totals: FlowSums) =>
  totals.known & KNOWN_SEGMENTS ? of(totals) : undefined

const failedBy = <Name extends string>(name: Name, help: string, of: (totals: FlowSums) => number) =>
  counter(name, 'flows', `of the failed, ${help}`, known(of))

/** In 1/100 %; SYNs that were sent again are no data. */
const retransmitShare = ({ retransmits, synResent, dataSegsSent }: FlowSums): number | undefined =>
  dataSegsSent > 0
    ? (Math.min(Math.max(retransmits - synResent, 0), dataSegsSent) / dataSegsSent) * 10_000
    : undefined

export const tcp = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:tcp` as const,
    level,
    group: groupOf(level, 'tcp'),
    dimensions: ['role'] as const,
    fields: [
      counter('opened', 'flows', 'flows opened: SYN_SENT, or a child of a listener', totals => totals.opened),
      counter('closed', 'flows', 'flows closed', totals => totals.closed),
      counter('failed', 'flows', 'of those closed, the ones never established', totals => totals.failed),
      failedBy(
        'failed_refused',
        'those that were answered with a RST, or called an unreachable port: nobody listens there',
        totals => totals.failedRefused,
      ),
      failedBy('failed_reset', 'those that were reset in the handshake', totals => totals.failedReset),
      failedBy(
        'failed_timeout',
        'those whose SYNs had no answer until the kernel gave up',
        totals => totals.failedTimeout,
      ),
      failedBy(
        'failed_unreachable',
        'those that a router, or this host, called unreachable; for the rest the program did not wait',
        totals => totals.failedUnreachable,
      ),
      counter('retransmits', 'segments', 'segments sent again', totals => totals.retransmits),
      counter(
        'data_segments_sent',
        'segments',
        'segments with data sent, with those sent again: what retransmits are a part of',
        known(totals => totals.dataSegsSent),
      ),
      counter(
        'data_segments_rcvd',
        'segments',
        'segments with data received',
        known(totals => totals.dataSegsRcvd),
      ),
      {
        name: 'retransmit_share' as const,
        prometheus: 'retransmit',
        type: 'gauge',
        unit: 'percent',
        help: 'data segments of the window that were sent again, of all data segments sent',
        of: known(retransmitShare),
      },
      counter(
        'out_of_order',
        'segments',
        'segments received that others should have come before, part of data_segments_rcvd',
        known(totals => totals.outOfOrder),
      ),
      counter(
        'ecn_marks',
        'segments',
        'segments sent that a router on the way marked as congested, as the peer tells',
        known(totals => totals.ecnMarks),
      ),
      {
        name: 'lost_segments' as const,
        type: 'gauge',
        unit: 'segments',
        help: "segments that the kernel takes for lost and that nobody has acknowledged since, at the window's end, of the flows that are open then: a level, like lost: of ss",
        of: (totals: FlowSums) => totals.lostSegments,
      },
      counter('resets_sent', 'resets', 'RST sent', totals => totals.resetsSent),
      counter('resets_rcvd', 'resets', 'RST received', totals => totals.resetsRcvd),
    ],
    help: 'TCP connections and their troubles, since the collector started; a role that was never played has no series',
    ntopng: false,
  }) satisfies FlowMetric

const took = <Name extends string>(
  name: Name,
  help: string,
  of: (connect: Histogram) => number | undefined,
  coarse: Coarse = 'mean',
): Field<Group, Name> => ({
  name,
  type: 'gauge',
  unit: 'ms',
  help,
  coarse,
  of: ({ client: { connect } }) => connect && of(connect),
})

const connect = <Level extends (typeof LEVELS)[number]>(level: Level) =>
  ({
    name: `${level}:connect` as const,
    level,
    group: 'connect',
    dimensions: [] as const,
    fields: [
      took('mean', 'the mean, exact', connect => connect.mean),
      took(
        'p95',
        '95th percentile, at most 3.2 % off from 8 us to 67 s',
        connect => connect.quantile(0.95),
        'max',
      ),
      took('max', 'the longest, exact', connect => connect.max, 'max'),
    ],
    distribution: ({ client: { connect } }: Group) => connect,
    help: 'time from SYN_SENT to ESTABLISHED of the connections that clients established in the window',
    ntopng: false,
  }) satisfies FlowMetric

export const tcpMetrics = LEVELS.flatMap(level => [rttDist(level), tcp(level), connect(level)])
