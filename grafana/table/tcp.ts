/** Connections that fail, are lost or are slow. */

import { type Dashboard, last, mean, type Panel, rate, worst } from './panel.ts'

const by = ['pod', 'container_name', 'container']
const legend = '{{pod}} {{container_name}} {{container}}'
const lines = { by, legend }

const losses: Panel[] = [
  {
    title: 'Retransmit share',
    means: 'Segments sent again, in percent of all packets sent; UDP datagrams count in the packets.',
    bad: 'Above 1 % packets are lost on the way: look at dropped packets in Interfaces and host, and at the path to the peers. One container alone: its peers are too slow.',
    kind: 'lines',
    queries: [rate('container:tcp', 'retransmits', lines), rate('container:traffic', 'packets_sent', lines)],
    share: true,
    thresholds: [1, 5],
    width: 12,
  },
  {
    title: 'Lost segments',
    means:
      'Segments that the kernel takes for lost and that nobody has acknowledged since, at the end of the window: a level, as lost: of ss.',
    bad: 'A level that stays is a peer that is away or a path that drops everything.',
    kind: 'lines',
    queries: [last('container:tcp', 'lost_segments', lines)],
    width: 12,
  },
]

const connections: Panel[] = [
  {
    title: 'Failed connects',
    means: 'Connections that were closed without ever being established, per second.',
    bad: 'Nobody listens, a firewall drops, or the server accepts too slowly: see the log of the client.',
    kind: 'lines',
    queries: [rate('container:tcp', 'failed', { ...lines, only: { role: ['client'] } })],
    width: 12,
  },
  {
    title: 'Connect time',
    means:
      'Time from SYN to established of the connections that clients established: the 95th percentile and the longest of the container in which it is largest.',
    bad: 'Steps of about 1, 3 and 7 s are lost SYNs, which the kernel sends again: a full accept queue, or loss.',
    kind: 'lines',
    queries: [
      worst('container:connect', 'p95', { ...lines, legend: `${legend} p95` }),
      worst('container:connect', 'max', { ...lines, legend: `${legend} max` }),
    ],
    thresholds: [1000, 3000],
    width: 12,
  },
  {
    title: 'Connections opened',
    means: 'Connections that each container opened or accepted, per second.',
    bad: 'Many short ones cost a handshake each: let the client keep its connections.',
    kind: 'lines',
    queries: [rate('container:tcp', 'opened', { by: [...by, 'role'], legend: `${legend} {{role}}` })],
    width: 12,
  },
  {
    title: 'Resets',
    means: 'RST sent and received, per second.',
    bad: 'Sent: the program closed with unread data, or aborted. Received: the peer did, or a firewall ended a connection that it took for dead.',
    kind: 'lines',
    queries: [
      rate('container:tcp', 'resets_sent', { ...lines, legend: `${legend} sent` }),
      rate('container:tcp', 'resets_rcvd', { ...lines, legend: `${legend} received` }),
    ],
    width: 12,
  },
]

const times: Panel[] = [
  {
    title: 'Round-trip time by role',
    means: 'The 95th percentile of the TCP round-trip times of each container, as client and as server.',
    bad: 'As server only: its clients are far away. As client only: a service that it uses is.',
    kind: 'lines',
    queries: [worst('container:rtt_dist', 'p95', { by: [...by, 'role'], legend: `${legend} {{role}}` })],
    thresholds: [100, 200],
    width: 12,
  },
  {
    title: 'Variation of the round-trip time',
    means: "The mean of the kernel's smoothed mean deviations of the round-trip time, as client.",
    bad: 'As large as the round-trip time itself: queues fill and empty on the way.',
    kind: 'lines',
    queries: [mean('container:rtt_variance', 'as_client', lines)],
    width: 12,
  },
  {
    title: 'All round-trip times',
    means: 'How many TCP round-trip times of the chosen containers were how long: the darker, the more.',
    bad: 'A second band is a second group of peers; a band that climbs is a queue that grows.',
    kind: 'heatmap',
    queries: [worst('container:rtt_dist', 'p50')],
    dialect: 'prometheus',
    width: 24,
  },
]

export const tcp: Dashboard = {
  name: 'tcp',
  title: 'TCP health',
  description: 'Retransmits, failed connects, resets, connect times and round-trip times of containers.',
  variables: ['host', 'namespace', 'pod', 'container'],
  rows: [
    { title: 'Losses', panels: losses },
    { title: 'Connections', panels: connections },
    { title: 'Times', panels: times },
  ],
}
