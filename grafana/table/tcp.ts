/** Connections that fail, are lost or are slow. */

import { type Dashboard, last, mean, type Panel, rate, worst } from './panel.ts'

const by = ['pod', 'container_name', 'container']
const legend = '{{pod}} {{container_name}} {{container}}'
const lines = { by, legend }

const losses: Panel[] = [
  {
    title: 'Retransmit share',
    means: 'Segments sent again, SYNs among them, in percent of the segments with data that were sent.',
    bad: 'Above 1 % packets are lost on the way: look at dropped packets in Interfaces and host, and at the path to the peers. One container alone: its peers are too slow.',
    kind: 'lines',
    queries: [
      rate('container:tcp', 'retransmits', lines),
      rate('container:tcp', 'data_segments_sent', lines),
    ],
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
  {
    title: 'Out of order',
    means:
      'Segments received that others should have come before, in percent of the segments with data received.',
    bad: 'With retransmits at the sender: loss. Without: paths of different length, such as bonded links; TCP slows down for nothing.',
    kind: 'lines',
    queries: [
      rate('container:tcp', 'out_of_order', lines),
      rate('container:tcp', 'data_segments_rcvd', lines),
    ],
    share: true,
    thresholds: [1, 5],
    width: 12,
  },
  {
    title: 'Congestion marks',
    means:
      'Segments sent that a router marked as congested (ECN), in percent of the segments with data sent.',
    bad: 'A queue on the way is full most of the time: that link is too small, or somebody else fills it.',
    kind: 'lines',
    queries: [rate('container:tcp', 'ecn_marks', lines), rate('container:tcp', 'data_segments_sent', lines)],
    share: true,
    width: 12,
  },
]

const waits: Panel[] = [
  {
    title: 'Limited by the receiver',
    means:
      'Share of the time with data outstanding in which the window of the receiver was full: the largest of the roles.',
    bad: 'The peer reads too slowly: look at its CPU, and at unread bytes on its host. Or its receive buffer is too small for the path (net.ipv4.tcp_rmem).',
    kind: 'lines',
    queries: [mean('container:limits', 'receiver', lines)],
    thresholds: [20, 50],
    width: 8,
  },
  {
    title: 'Limited by the send buffer',
    means: 'Share of that time in which the send buffer of the socket was full and all of it was on its way.',
    bad: 'The buffer is smaller than what the path holds: do not set SO_SNDBUF, or raise net.ipv4.tcp_wmem.',
    kind: 'lines',
    queries: [mean('container:limits', 'send_buffer', lines)],
    thresholds: [20, 50],
    width: 8,
  },
  {
    title: 'Limited by the network',
    means: 'The rest of that time: data were on their way, or had to wait for the congestion window.',
    bad: 'Usual for a sender. It says something beside retransmits (loss) and a growing round-trip time (a full queue).',
    kind: 'lines',
    queries: [mean('container:limits', 'network', lines)],
    width: 8,
  },
  {
    title: 'Time lost in time-outs',
    means:
      'Seconds in each second in which flows waited after a retransmission time-out, summed over the flows.',
    bad: 'The path drops whole flights, or the last segment of each answer; a peer that died shows here, too.',
    kind: 'lines',
    queries: [rate('container:stalls', 'stalled', lines)],
    width: 8,
  },
  {
    title: 'Waiting for an answer to their SYN',
    means: 'Connections whose SYN has no answer at the end of the window.',
    bad: 'A firewall drops them, the host is away, or the accept queue of the server is full. Refused connections do not wait.',
    kind: 'lines',
    queries: [last('container:stalls', 'waiting', { ...lines, only: { role: ['client'] } })],
    width: 8,
  },
  {
    title: 'Fullest accept queue',
    means:
      'Connections that are established and that nobody has accepted, in percent of what listen(2) allows: the listener where it is largest.',
    bad: 'The program accepts too slowly: see its CPU. A queue that is full now and then: raise the backlog of listen(2), and net.core.somaxconn.',
    kind: 'lines',
    queries: [worst('container:accept', 'fullest', lines)],
    thresholds: [50, 90],
    width: 8,
  },
  {
    title: 'Accept queue overflows',
    means: 'Connections that listeners dropped, per second.',
    bad: 'Each costs its client a second or more. The program accepts too slowly, or its backlog is too small.',
    kind: 'lines',
    queries: [rate('container:accept', 'overflows', lines)],
    width: 8,
  },
  {
    title: 'Queueing',
    means:
      'How far the smoothed round-trip time is above the smallest of the flow, 95th percentile; with --health queueing.',
    bad: 'Full queues on the way: one that grows with your own traffic is your link (bufferbloat: use fq_codel or BBR).',
    kind: 'lines',
    queries: [worst('container:queueing', 'p95', lines)],
    thresholds: [50, 200],
    width: 8,
  },
  {
    title: 'Unread bytes',
    means:
      'Bytes that were received and that the program has not read, at the end of the window; with --health throughput.',
    bad: 'A level that stays: the program has stopped reading, which its senders see as a full window.',
    kind: 'lines',
    queries: [last('container:throughput', 'unread', lines)],
    width: 8,
  },
]

const connections: Panel[] = [
  {
    title: 'Failed connects',
    means: 'Connections that were closed without ever being established, per second.',
    bad: 'Refused: nobody listens. Timeout: a firewall drops, or the host is away. Unreachable: a route is missing. The rest: the client gave up before.',
    kind: 'lines',
    queries: [
      rate('container:tcp', 'failed', { ...lines, only: { role: ['client'] }, legend: `${legend} all` }),
      ...(['refused', 'timeout', 'unreachable'] as const).map(why =>
        rate('container:tcp', `failed_${why}`, {
          ...lines,
          only: { role: ['client'] },
          legend: `${legend} ${why}`,
        }),
      ),
    ],
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
    { title: 'Why it is slow', panels: waits },
    { title: 'Connections', panels: connections },
    { title: 'Times', panels: times },
  ],
}
