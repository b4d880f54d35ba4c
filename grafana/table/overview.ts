/** Where one begins: what all hosts do, and who does most of it. */

import { type Dashboard, increase, level, type Panel, rate, worst } from './panel.ts'

const host = ['host']

const now: Panel[] = [
  {
    title: 'Flows of containers',
    means:
      'Conversations of all containers, as client and as server: one between two containers counts at both ends.',
    bad: 'A number far from the usual one: Namespaces says whose.',
    kind: 'stat',
    queries: [
      level('container:num_flows', 'as_client', { legend: 'as client' }),
      level('container:num_flows', 'as_server', { legend: 'as server' }),
    ],
    width: 8,
  },
  {
    title: 'Running containers of pods',
    means: 'Running containers of all pods, without sandboxes.',
    bad: 'Fewer than expected: see Pods.',
    kind: 'stat',
    queries: [level('pod:num_containers', 'num_containers', { legend: 'containers' })],
    width: 8,
  },
  {
    title: 'Traffic of containers',
    means: 'Payload that all containers send and receive per second.',
    bad: 'See the top talkers below.',
    kind: 'stat',
    queries: [
      rate('container:traffic', 'bytes_sent', { legend: 'sent' }),
      rate('container:traffic', 'bytes_rcvd', { legend: 'received' }),
    ],
    width: 8,
  },
]

const hosts: Panel[] = [
  {
    title: 'Flows by host',
    means: 'Conversations as client, of the containers of each host and of what is in no container there.',
    bad: 'One host alone: its dashboards Containers and Processes say who. All hosts: a client of all of them does not close.',
    kind: 'stacked',
    queries: [
      level('container:num_flows', 'as_client', { by: host, legend: '{{host}} containers' }),
      level('host:num_flows', 'as_client', { by: host, legend: '{{host}} outside of containers' }),
    ],
    width: 12,
  },
  {
    title: 'Bytes sent by host',
    means: 'Payload sent, by the containers of each host and by what is in no container there.',
    bad: 'Compare with Interfaces and host: what the interfaces carry beyond it is headers, other protocols, or other namespaces.',
    kind: 'stacked',
    queries: [
      rate('container:traffic', 'bytes_sent', { by: host, legend: '{{host}} containers' }),
      rate('host:traffic', 'bytes_sent', { by: host, legend: '{{host}} outside of containers' }),
    ],
    width: 12,
  },
  {
    title: 'Round-trip time by host',
    means:
      'Median, 95th and 99th percentile of the TCP round-trip times, of the container of each host in which they are largest.',
    bad: 'A high median is a slow path or a slow peer; a high 99th percentile alone is queues or losses: see TCP health.',
    kind: 'lines',
    queries: [
      worst('container:rtt_dist', 'p50', { by: host, legend: '{{host}} p50' }),
      worst('container:rtt_dist', 'p95', { by: host, legend: '{{host}} p95' }),
      worst('container:rtt_dist', 'p99', { by: host, legend: '{{host}} p99' }),
    ],
    thresholds: [100, 200],
    width: 24,
  },
  {
    title: 'All round-trip times',
    means: 'How many TCP round-trip times of containers were how long: the darker, the more.',
    bad: 'A second band is a second group of peers; a band that climbs is a queue that grows.',
    kind: 'heatmap',
    queries: [worst('container:rtt_dist', 'p50')],
    dialect: 'prometheus',
    width: 24,
  },
]

const talkers: Panel[] = [
  {
    title: 'Hosts of this range',
    means: 'Bytes and mean flows of the containers of each host. A click leads to its namespaces.',
    bad: 'A host that is missing here sends nothing: Sockflux health says since when.',
    kind: 'table',
    queries: [
      increase('container:traffic', 'bytes_sent', { by: host, legend: 'sent' }),
      increase('container:traffic', 'bytes_rcvd', { by: host, legend: 'received' }),
      level('container:num_flows', 'as_client', { by: host, legend: 'flows as client' }),
      level('container:num_flows', 'as_server', { by: host, legend: 'flows as server' }),
    ],
    link: { to: 'namespaces', title: 'Namespaces', by: ['host'] },
    width: 12,
  },
  {
    title: 'Top talkers',
    means: 'The ten containers that sent most in this range. A click leads to the container.',
    bad: 'Its processes are in Processes, its peers on the page and in sockflux flows.',
    kind: 'table',
    queries: [
      increase('container:traffic', 'bytes_sent', {
        by: ['namespace', 'pod', 'container_name', 'container'],
        legend: 'sent',
      }),
    ],
    link: { to: 'containers', title: 'Containers', by: ['container'] },
    most: 10,
    width: 12,
  },
]

export const overview: Dashboard = {
  name: 'overview',
  title: 'Overview',
  description: 'Hosts, flows, traffic, round-trip times and top talkers.',
  variables: ['host'],
  rows: [
    { title: 'Now', panels: now },
    { title: 'Hosts', panels: hosts },
    { title: 'Who', panels: talkers },
  ],
}
