/** Namespaces, pods and containers: one dashboard each, with the same panels, and a click leads from one to the next. */

import { type Dashboard, increase, type Link, level, mean, type Panel, rate, worst } from './panel.ts'

interface Subjects {
  readonly name: string
  readonly title: string
  /** One of them, in a sentence. */
  readonly one: string
  readonly level: 'pod' | 'container'
  readonly by: readonly string[]
  readonly legend: string
  readonly link: Link
  /** What only they have. */
  readonly more: readonly Panel[]
}

const flows = ({ one, level: of, by, legend, link }: Subjects): Panel[] => [
  {
    title: 'Flows as client',
    means: `Conversations, TCP and UDP, that each ${one} opened to others and that were open in the window.`,
    bad: 'A rise without more work is a client that does not reuse or close its connections: look at its opened connections in TCP health.',
    kind: 'lines',
    queries: [level(`${of}:num_flows`, 'as_client', { by, legend })],
    link,
    width: 12,
  },
  {
    title: 'Flows as server',
    means: `Conversations, TCP and UDP, that others opened to each ${one}.`,
    bad: 'A rise without more clients means that answers are slower or connections are not closed; compare with the round-trip time.',
    kind: 'lines',
    queries: [level(`${of}:num_flows`, 'as_server', { by, legend })],
    link,
    width: 12,
  },
]

const traffic = ({ one, level: of, by, legend }: Subjects): Panel[] => [
  {
    title: 'Bytes sent',
    means: `Payload that each ${one} sent, without what was sent again.`,
    bad: 'Find the sender in the table below, and its processes in Processes.',
    kind: 'lines',
    queries: [rate(`${of}:traffic`, 'bytes_sent', { by, legend })],
    width: 12,
  },
  {
    title: 'Bytes received',
    means: `Payload that each ${one} received.`,
    bad: 'Find the receiver in the table below, and who sends to it in the dashboards of its peers.',
    kind: 'lines',
    queries: [rate(`${of}:traffic`, 'bytes_rcvd', { by, legend })],
    width: 12,
  },
]

const quality = ({ one, level: of, by, legend }: Subjects): Panel[] => [
  {
    title: 'Round-trip time, 95th percentile',
    means: `The 95th percentile of the TCP round-trip times that the kernel measured, of the role and series of each ${one} in which it is largest.`,
    bad: 'One subject alone: look at its peers and its CPU. All of a host: look at the host and its network.',
    kind: 'lines',
    queries: [worst(`${of}:rtt_dist`, 'p95', { by, legend })],
    thresholds: [100, 200],
    width: 12,
  },
  {
    title: 'Retransmitted segments',
    means: `TCP segments that each ${one} sent again.`,
    bad: 'Packets are lost on the way or a receiver is too slow: TCP health shows the share of all that was sent.',
    kind: 'lines',
    queries: [rate(`${of}:tcp`, 'retransmits', { by, legend })],
    width: 12,
  },
]

const table = ({ title, one, level: of, by, link }: Subjects): Panel => ({
  title: `${title} of this range`,
  means: `Each ${one}: mean flows, bytes in the range, and the largest 95th percentile of the round-trip time. A click leads to ${link.title}.`,
  bad: 'Sort by a column to find the one that stands out.',
  kind: 'table',
  queries: [
    increase(`${of}:traffic`, 'bytes_sent', { by, legend: 'sent' }),
    increase(`${of}:traffic`, 'bytes_rcvd', { by, legend: 'received' }),
    level(`${of}:num_flows`, 'as_client', { by, legend: 'flows as client' }),
    level(`${of}:num_flows`, 'as_server', { by, legend: 'flows as server' }),
    worst(`${of}:rtt_dist`, 'p95', { by, legend: 'RTT p95' }),
  ],
  link,
  width: 24,
})

const dashboardOf = (subjects: Subjects): Dashboard => ({
  name: subjects.name,
  title: subjects.title,
  description: `Flows, traffic and round-trip times of each ${subjects.one}.`,
  variables:
    subjects.level === 'pod' ? ['host', 'namespace', 'pod'] : ['host', 'namespace', 'pod', 'container'],
  rows: [
    { title: 'Flows', panels: [...flows(subjects), ...subjects.more] },
    { title: 'Traffic', panels: traffic(subjects) },
    { title: 'Quality', panels: quality(subjects) },
    { title: subjects.title, panels: [table(subjects)] },
  ],
})

const containersOf = (by: readonly string[], legend: string): Panel => ({
  title: 'Running containers',
  means: 'Running containers of the pods, with flows or without; the sandbox is not counted.',
  bad: 'A saw-tooth is a container that is restarted again and again: see its log.',
  kind: 'lines',
  queries: [level('pod:num_containers', 'num_containers', { by, legend })],
  width: 24,
})

const CONTAINER = ['namespace', 'pod', 'container_name', 'container']

const ALL: readonly Subjects[] = [
  {
    ...{ name: 'namespaces', title: 'Namespaces', one: 'namespace', level: 'pod' },
    ...{ by: ['namespace'], legend: '{{namespace}}', more: [containersOf(['namespace'], '{{namespace}}')] },
    link: { to: 'pods', title: 'Pods', by: ['namespace'] },
  },
  {
    ...{ name: 'pods', title: 'Pods', one: 'pod', level: 'pod' },
    by: ['namespace', 'pod'],
    legend: '{{namespace}}/{{pod}}',
    more: [containersOf(['namespace', 'pod'], '{{namespace}}/{{pod}}')],
    link: { to: 'containers', title: 'Containers', by: ['namespace', 'pod'] },
  },
  {
    ...{ name: 'containers', title: 'Containers', one: 'container', level: 'container' },
    by: CONTAINER,
    legend: '{{pod}} {{container_name}} {{container}}',
    more: [
      {
        title: 'Round-trip time, smoothed',
        means:
          "The mean of the kernel's smoothed round-trip times over the flows of each container as client.",
        bad: 'Compare with the 95th percentile: a mean that is as high means that every peer is slow, not one.',
        kind: 'lines',
        queries: [
          mean('container:rtt', 'as_client', {
            by: CONTAINER,
            legend: '{{pod}} {{container_name}} {{container}}',
          }),
        ],
        width: 24,
      },
    ],
    link: { to: 'tcp', title: 'TCP health', by: ['container'] },
  },
]

export const subjects: readonly Dashboard[] = ALL.map(dashboardOf)
