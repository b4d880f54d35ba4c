/** Why it is slow: what limits flows, where they wait, what they lose. What was not read of the sockets has no value. */

import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import type { Histogram } from '../../wire/count/histogram.ts'
import { KNOWN_LIMITS, KNOWN_STALLS, KNOWN_THROUGHPUT, KNOWN_TIMEOUTS } from '../../wire/records.ts'
import type { Coarse } from './coarse.ts'
import { type Field, type FlowLevel, type FlowMetric, groupOf, LEVELS } from './metric.ts'

/** Where this much was read of the sockets. */
const where = (known: number, of: (totals: FlowSums) => number | undefined) => (totals: FlowSums) =>
  (totals.known & known) === known ? of(totals) : undefined

type FlowField<Name extends string> = Field<FlowSums, Name>

const counter = <Name extends string>(
  name: Name,
  unit: Field<FlowSums>['unit'],
  help: string,
  of: FlowField<Name>['of'],
): FlowField<Name> => ({ name, type: 'counter', unit, help, of })

const gauge = <Name extends string>(
  name: Name,
  unit: Field<FlowSums>['unit'],
  help: string,
  of: FlowField<Name>['of'],
  coarse: Coarse = 'mean',
): FlowField<Name> => ({ name, type: 'gauge', unit, help, coarse, of })

/** In 1/100 %; undefined without a whole. */
const share = (part: number, whole: number): number | undefined =>
  whole > 0 ? (Math.min(part, whole) / whole) * 10_000 : undefined

const limited = <Name extends string>(name: Name, help: string, of: (totals: FlowSums) => number) =>
  gauge(
    name,
    'percent',
    help,
    where(KNOWN_LIMITS, totals => share(of(totals), totals.busyUs)),
  )

const limits = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:limits` as const,
    level,
    group: groupOf(level, 'limits'),
    dimensions: ['role'] as const,
    fields: [
      counter(
        'busy',
        'seconds',
        'time with data outstanding, summed over the flows: busy of ss',
        where(KNOWN_LIMITS, totals => totals.busyUs),
      ),
      limited(
        'receiver',
        'share of it in which the window of the receiver was full: rwnd_limited of ss',
        totals => totals.receiverUs,
      ),
      limited(
        'send_buffer',
        'share in which the send buffer of the socket was full: sndbuf_limited of ss',
        totals => totals.sndbufUs,
      ),
      limited('network', 'the rest: the congestion window, or the time until the acknowledgement', totals =>
        Math.max(totals.busyUs - totals.receiverUs - totals.sndbufUs, 0),
      ),
    ],
    help: 'what TCP flows that had data to send waited for in the window; no data outstanding, no share',
    ntopng: false,
  }) satisfies FlowMetric

const distributed = <Name extends string>(
  name: Name,
  help: string,
  from: 'minRtt' | 'queueing',
  of: (values: Histogram) => number | undefined,
  coarse: Coarse = 'mean',
) =>
  gauge(
    name,
    'ms',
    help,
    totals => {
      const values = totals[from]
      return values && of(values)
    },
    coarse,
  )

const queueing = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:queueing` as const,
    level,
    group: groupOf(level, 'queueing'),
    dimensions: ['role'] as const,
    fields: [
      distributed('mean', 'mean over the flows, exact', 'queueing', values => values.mean),
      distributed(
        'p95',
        '95th percentile over the flows, at most 3.2 % off from 8 us to 67 s',
        'queueing',
        values => values.quantile(0.95),
        'max',
      ),
      distributed('min_rtt', 'mean of the smallest RTTs, exact', 'minRtt', values => values.mean),
      distributed(
        'min_rtt_p95',
        '95th percentile of the smallest RTTs, at most 3.2 % off',
        'minRtt',
        values => values.quantile(0.95),
        'max',
      ),
    ],
    help: 'how far the smoothed RTT is above the smallest that the flow had within five minutes (minrtt of ss), over the TCP flows that took an RTT sample in the window; only with --health queueing of the probe',
    ntopng: false,
  }) satisfies FlowMetric

const stalls = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:stalls` as const,
    level,
    group: groupOf(level, 'stalls'),
    dimensions: ['role'] as const,
    fields: [
      counter(
        'timeouts',
        'timeouts',
        'retransmission time-outs of established flows; Linux 6.7 and newer, with the two below',
        where(KNOWN_TIMEOUTS, totals => totals.timeouts),
      ),
      counter(
        'recoveries',
        'timeouts',
        'time-outs in a row counted once',
        where(KNOWN_TIMEOUTS, totals => totals.recoveries),
      ),
      counter(
        'stalled',
        'seconds',
        'time from a time-out until what was lost with it is acknowledged, the end of the loss recovery, summed over the flows',
        where(KNOWN_TIMEOUTS, totals => totals.stalledUs),
      ),
      counter(
        'syn_retransmits',
        'segments',
        'SYNs sent again; as server SYN-ACKs',
        where(KNOWN_STALLS, totals => totals.synResent),
      ),
      counter(
        'spurious',
        'segments',
        'segments sent again that the peer had: it says so with DSACK',
        where(KNOWN_STALLS, totals => totals.spurious),
      ),
      gauge(
        'waiting',
        'flows',
        "connections whose SYN has no answer at the window's end",
        where(KNOWN_STALLS, totals => totals.synWaiting),
      ),
      gauge(
        'waiting_longest',
        'seconds',
        'how long the oldest of them waits',
        where(KNOWN_STALLS, totals => totals.synWaitingUs),
        'max',
      ),
    ],
    help: 'TCP flows that stood still',
    ntopng: false,
  }) satisfies FlowMetric

const level = <Name extends string>(name: Name, help: string, of: (totals: FlowSums) => number) =>
  gauge(name, 'bytes', help, where(KNOWN_THROUGHPUT, of))

const throughput = <Level extends FlowLevel>(of: Level) =>
  ({
    name: `${of}:throughput` as const,
    level: of,
    group: groupOf(of, 'throughput'),
    dimensions: ['role'] as const,
    fields: [
      gauge(
        'delivery_rate',
        'bytes_per_second',
        'mean over the flows that their program did not limit',
        totals => (totals.rates > 0 ? totals.rateSum / totals.rates : undefined),
      ),
      gauge(
        'delivery_rate_max',
        'bytes_per_second',
        'the largest of them',
        totals => (totals.rates > 0 ? totals.rateMax : undefined),
        'max',
      ),
      gauge(
        'app_limited',
        'percent',
        'share of the flows with a delivery rate whose program sent less than the path would take',
        totals => share(totals.appLimited, totals.appLimited + totals.rates),
      ),
      level('in_flight', "sent and not acknowledged at the window's end", totals => totals.inFlight),
      level('unsent', 'written by the program and not sent', totals => totals.unsent),
      level('unread', 'received and not read by the program: Recv-Q of ss', totals => totals.unread),
    ],
    help: 'how fast the newest data of TCP flows that sent in the window were delivered (delivery_rate of ss), and what waits; only with --health throughput of the probe',
    ntopng: false,
  }) satisfies FlowMetric

const listening =
  (of: (totals: FlowSums) => number) =>
  ({ server }: Group): number | undefined =>
    server.listeners > 0 || server.queueDrops > 0 ? of(server) : undefined

const accept = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:accept` as const,
    level,
    group: groupOf(level, 'accept'),
    dimensions: [] as const,
    fields: [
      {
        ...({ name: 'listeners', type: 'gauge', unit: 'listeners', help: 'sockets that listen' } as const),
        of: listening(({ listeners }) => listeners),
      },
      {
        ...({ name: 'depth', type: 'gauge', unit: 'connections', coarse: 'max' } as const),
        help: "established connections that nobody has accepted, at the window's end: Recv-Q of ss -l",
        of: listening(({ queueDepth }) => queueDepth),
      },
      {
        ...({ name: 'limit', type: 'gauge', unit: 'connections' } as const),
        help: 'how many there may be, over all listeners: Send-Q of ss -l',
        of: listening(({ queueLimit }) => queueLimit),
      },
      {
        ...({ name: 'fullest', type: 'gauge', unit: 'percent', coarse: 'max' } as const),
        help: 'depth as a share of limit, of the fullest listener',
        of: listening(({ queueFullest }) => queueFullest),
      },
      {
        ...({ name: 'overflows', type: 'counter', unit: 'drops' } as const),
        help: 'connections, and their SYNs, that listeners dropped, for a full queue in most cases: d of skmem in ss -lm',
        of: listening(({ queueDrops }) => queueDrops),
      },
    ],
    help: 'queues of listening TCP sockets; whoever has no listener has no sample',
    ntopng: false,
  }) satisfies FlowMetric

const ALL = [...LEVELS, 'process'] as const

export const healthMetrics = ALL.flatMap(level => [
  limits(level),
  stalls(level),
  accept(level),
  queueing(level),
  throughput(level),
])
