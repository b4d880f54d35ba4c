/** The busiest process names; the collector writes them with `process` among its --metrics. */

import { type Dashboard, increase, level, mean, type Panel, rate } from './panel.ts'

const by = ['process', 'container']
const legend = '{{process}} {{container}}'
const lines = { by, legend }
const NEEDS = "It needs `process` among the collector's --metrics."

const panels: Panel[] = [
  {
    title: 'Flows as client',
    means: `Conversations of the processes of one name that they opened and that were open in the window. ${NEEDS}`,
    bad: 'A process whose flows only rise does not close them.',
    kind: 'lines',
    queries: [level('process:num_flows', 'as_client', lines)],
    width: 12,
  },
  {
    title: 'Flows as server',
    means: `Conversations that others opened to the processes of one name. ${NEEDS}`,
    bad: 'Compare with the limit of open files of the process.',
    kind: 'lines',
    queries: [level('process:num_flows', 'as_server', lines)],
    width: 12,
  },
  {
    title: 'Bytes sent',
    means: `Payload that the processes of one name sent. ${NEEDS}`,
    bad: 'The name ~other stands for all but the busiest: raise --max-processes to see more.',
    kind: 'lines',
    queries: [rate('process:traffic', 'bytes_sent', lines)],
    width: 12,
  },
  {
    title: 'Round-trip time, smoothed',
    means: `The mean of the kernel's smoothed round-trip times over the flows of the processes, as client. ${NEEDS}`,
    bad: 'One process alone: the service that it uses is slow or far away.',
    kind: 'lines',
    queries: [mean('process:rtt', 'as_client', lines)],
    thresholds: [100, 200],
    width: 12,
  },
]

export const processes: Dashboard = {
  name: 'processes',
  title: 'Processes',
  description: 'Flows, traffic and round-trip times by the name of the process.',
  variables: ['host', 'container'],
  rows: [
    { title: 'Processes', panels },
    {
      title: 'Totals',
      panels: [
        {
          title: 'Processes of this range',
          means: `Bytes in the range and mean flows by the name of the process. ${NEEDS}`,
          bad: 'Sort by a column to find the one that stands out.',
          kind: 'table',
          queries: [
            increase('process:traffic', 'bytes_sent', { by, legend: 'sent' }),
            increase('process:traffic', 'bytes_rcvd', { by, legend: 'received' }),
            level('process:num_flows', 'as_client', { by, legend: 'flows as client' }),
            level('process:num_flows', 'as_server', { by, legend: 'flows as server' }),
          ],
          link: { to: 'containers', title: 'Containers', by: ['container'] },
          width: 24,
        },
      ],
    },
  ],
}
