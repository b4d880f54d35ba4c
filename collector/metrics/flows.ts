/** How many flows, how fast, and what they carry. */

import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import { type Field, type FlowLevel, type FlowMetric, groupOf, LEVELS } from './metric.ts'

/** One field for each role of the local end. */
function byRole(
  unit: Field<Group>['unit'],
  help: string,
  of: (totals: FlowSums) => number | undefined,
): [Field<Group, 'as_client'>, Field<Group, 'as_server'>] {
  return [
    { name: 'as_client', type: 'gauge', unit, help: `${help}, as client`, of: ({ client }) => of(client) },
    { name: 'as_server', type: 'gauge', unit, help: `${help}, as server`, of: ({ server }) => of(server) },
  ]
}

/** Both roles together, of what only rises. */
const sum = <Name extends string>(
  name: Name,
  unit: Field<Group>['unit'],
  help: string,
  of: (totals: FlowSums) => number,
): Field<Group, Name> => ({
  name,
  type: 'counter',
  unit,
  help,
  of: ({ client, server }) => of(client) + of(server),
})

const isNtopng = (level: FlowLevel): boolean => level === 'container' || level === 'pod'

const whose = (level: FlowLevel): string =>
  level === 'host'
    ? 'what is in no container'
    : level === 'process'
      ? 'the processes of one name'
      : level === 'workload'
        ? 'the pods on one host that one Deployment, DaemonSet, … has made'
        : `the ${level}`

export const flows = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:num_flows` as const,
    level,
    group: groupOf(level, 'flows'),
    dimensions: [] as const,
    fields: byRole('flows', 'conversations, TCP and UDP', totals => totals.flows),
    help: `conversations of ${whose(level)} that were open at some time in the window`,
    ntopng: isNtopng(level),
  }) satisfies FlowMetric

export const rtt = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:rtt` as const,
    level,
    group: groupOf(level, 'rtt'),
    dimensions: [] as const,
    fields: byRole('ms', 'mean of the smoothed RTT', totals => totals.meanRttUs),
    help: "mean of the kernel's smoothed round-trip times over the TCP flows that took an RTT sample in the window; no sample, no value",
    ntopng: isNtopng(level),
  }) satisfies FlowMetric

export const rttVariance = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:rtt_variance` as const,
    level,
    group: groupOf(level, 'rtt'),
    dimensions: [] as const,
    fields: byRole('ms', 'mean of the smoothed mean deviation', totals => totals.meanRttVarUs),
    help: "mean of the kernel's smoothed mean deviations of the round-trip time, over the same flows",
    ntopng: isNtopng(level),
  }) satisfies FlowMetric

export const traffic = <Level extends FlowLevel>(level: Level) =>
  ({
    name: `${level}:traffic` as const,
    level,
    group: groupOf(level, 'traffic'),
    dimensions: [] as const,
    fields: [
      sum('bytes_sent', 'bytes', 'payload sent, without what was sent again', totals => totals.bytesSent),
      sum('bytes_rcvd', 'bytes', 'payload received', totals => totals.bytesRcvd),
      sum('packets_sent', 'packets', 'TCP segments and UDP datagrams sent', totals => totals.packetsSent),
      sum('packets_rcvd', 'packets', 'TCP segments and UDP datagrams received', totals => totals.packetsRcvd),
      sum(
        'udp_dropped',
        'packets',
        'UDP datagrams that arrived and that the socket had no room for',
        totals => totals.udpDropped,
      ),
    ],
    help: 'what the flows carried, since the collector started',
    ntopng: false,
  }) satisfies FlowMetric

const numContainers = {
  name: 'pod:num_containers' as const,
  level: 'pod',
  group: 'flows',
  dimensions: [] as const,
  fields: [
    {
      name: 'num_containers' as const,
      type: 'gauge',
      unit: 'containers',
      help: 'running containers without the sandbox',
      of: ({ containers }: Group) => containers,
    },
  ],
  help: 'running containers of the pod, with flows or without; the sandbox is not counted',
  ntopng: true,
} satisfies FlowMetric

export const flowMetrics = [
  ...LEVELS.flatMap(level => [flows(level), rtt(level), rttVariance(level)]),
  numContainers,
  ...LEVELS.map(traffic),
]

/** Not a process that only listens, nor one of a probe that folds: it tells the listeners by process, and no flows. */
const knows = ({ client, server }: Group): boolean => client.flows + server.flows > 0

export const processMetrics = [
  { ...flows('process'), knows },
  rtt('process'),
  { ...traffic('process'), knows },
]
