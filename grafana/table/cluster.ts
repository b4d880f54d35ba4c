/** What made pods, Services, nodes and both ends; the collector writes them with `workload`, `service`, `node`, `peer` among its --metrics. */

import { type Dashboard, increase, level, mean, type Panel, rate } from './panel.ts'

const needs = (group: string): string => `It needs \`${group}\` among the collector's --metrics.`
const workload = { by: ['workload', 'namespace'], legend: '{{workload}} {{namespace}}' }
const service = { by: ['service', 'namespace', 'port'], legend: '{{service}}:{{port}} {{namespace}}' }
const node = { by: ['node'], legend: '{{node}}' }

const workloads: Panel[] = [
  {
    title: 'Flows of workloads, as client',
    means: `Conversations that the pods of a workload opened, on all hosts together. ${needs('workload')}`,
    bad: 'One that only rises does not close its connections; new pods do not begin at 0 again.',
    kind: 'lines',
    queries: [level('workload:num_flows', 'as_client', workload)],
    width: 12,
  },
  {
    title: 'Flows of workloads, as server',
    means: `Conversations that others opened to the pods of a workload. ${needs('workload')}`,
    bad: 'A fall to 0 means that nobody reaches it: look at its Service and its endpoints.',
    kind: 'lines',
    queries: [level('workload:num_flows', 'as_server', workload)],
    width: 12,
  },
  {
    title: 'Bytes sent by workloads',
    means: `Payload that the pods of a workload sent. ${needs('workload')}`,
    bad: 'Compare with Pods: one pod that sends most of it has an uneven share of the work.',
    kind: 'lines',
    queries: [rate('workload:traffic', 'bytes_sent', workload)],
    width: 12,
  },
  {
    title: 'Round-trip time of workloads, smoothed',
    means: `The mean of the kernel's smoothed round-trip times over the flows as client; of several hosts the largest. ${needs('workload')}`,
    bad: 'One workload alone: what it calls is slow or far away, perhaps in another zone.',
    kind: 'lines',
    queries: [mean('workload:rtt', 'as_client', workload)],
    thresholds: [100, 200],
    width: 12,
  },
]

const services: Panel[] = [
  {
    title: 'Bytes to Services',
    means: `Payload that clients sent to a Service, by its port. ${needs('service')}`,
    bad: 'Who sends it is in `sockflux flows` and on the map of the page.',
    kind: 'lines',
    queries: [rate('service:traffic', 'bytes', service)],
    width: 12,
  },
  {
    title: 'Bytes from Services',
    means: `Payload that a Service sent to its clients, by its port. ${needs('service')}`,
    bad: 'None, while bytes go there: nothing answers.',
    kind: 'lines',
    queries: [rate('service:traffic', 'rev_bytes', service)],
    width: 12,
  },
  {
    title: 'Services of this range',
    means: `Bytes in the range and mean conversations, by Service and port. ${needs('service')}`,
    bad: 'Sort by a column to find the one that stands out.',
    kind: 'table',
    queries: [
      increase('service:traffic', 'bytes', { ...service, legend: 'to the Service' }),
      increase('service:traffic', 'rev_bytes', { ...service, legend: 'to clients' }),
      level('service:traffic', 'flows', { ...service, legend: 'conversations' }),
    ],
    width: 24,
  },
]

const nodes: Panel[] = [
  {
    title: 'Bytes sent by the pods of a node',
    means: `Payload that the pods of a node sent, wherever it went. ${needs('node')}`,
    bad: 'One node far above the others: its pods could be spread.',
    kind: 'lines',
    queries: [rate('node:traffic', 'bytes_sent', node)],
    width: 12,
  },
  {
    title: 'Bytes received by the pods of a node',
    means: `Payload that the pods of a node received, wherever it came from. ${needs('node')}`,
    bad: 'One node far above the others: its pods could be spread.',
    kind: 'lines',
    queries: [rate('node:traffic', 'bytes_rcvd', node)],
    width: 12,
  },
  {
    title: 'Traffic of nodes by where it goes',
    means: `Payload that the pods of a node sent: to pods of the same node (intra), of others (inter), or outside (external). ${needs('node')}`,
    bad: 'Much inter, where intra was expected: pods that talk to each other run on different nodes.',
    kind: 'bars',
    queries: [rate('node:traffic', 'bytes_sent', { by: ['node', 'scope'], legend: '{{node}} {{scope}}' })],
    width: 12,
  },
  {
    title: 'From node to node in this range',
    means: `Bytes that the pods of a node sent to those of another one, or of the same one. ${needs('node')}`,
    bad: 'Much between two nodes: pods that talk so much could run on one. As a heat map, and with the pods: the page.',
    kind: 'graph',
    queries: [
      increase('node:traffic', 'bytes_sent', {
        by: ['node', 'peer_node'],
        except: { peer_node: [''] },
        legend: 'sent',
      }),
    ],
    width: 12,
  },
  {
    title: 'Between nodes in this range',
    means: `Bytes in the range by the node and the other end's node; without one it is outside, or not known. ${needs('node')}`,
    bad: 'Much between two nodes: pods that talk so much could run on one.',
    kind: 'table',
    queries: [
      increase('node:traffic', 'bytes_sent', { by: ['node', 'peer_node', 'scope'], legend: 'sent' }),
      increase('node:traffic', 'bytes_rcvd', { by: ['node', 'peer_node', 'scope'], legend: 'received' }),
    ],
    width: 24,
  },
]

const peer = { by: ['end', 'peer'], legend: 'conversations' }
const ends: Panel[] = [
  {
    title: 'Who talks to whom',
    means: `Mean conversations from clients (pods, containers, hosts) to their servers, as far as probes and the cluster know them. ${needs('peer')}`,
    bad: 'A line to `unknown` leaves what is watched: name its range with `--subnets`. Bytes, Services and processes: the page.',
    kind: 'graph',
    queries: [level('peer:num_flows', 'as_client', peer)],
    width: 12,
  },
  {
    title: 'Pairs in this range',
    means: `Mean conversations by client and server, the 50 pairs with most. ${needs('peer')}`,
    bad: 'A pair that should not be there: `sockflux flows` names its processes and addresses.',
    kind: 'table',
    most: 50,
    queries: [level('peer:num_flows', 'as_client', peer)],
    width: 12,
  },
]

export const cluster: Dashboard = {
  name: 'cluster',
  title: 'Workloads, Services and nodes',
  description: 'Flows and traffic by what made the pods, by Service, between nodes and between pods.',
  variables: ['host', 'namespace'],
  rows: [
    { title: 'Workloads', panels: workloads },
    { title: 'Services', panels: services },
    { title: 'Nodes', panels: nodes },
    { title: 'Both ends', panels: ends },
  ],
}
