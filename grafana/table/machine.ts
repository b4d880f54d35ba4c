/** The machines below: interfaces, CPU, memory, and what is in no container. */

import { type Dashboard, level, mean, type Panel, rate, worst } from './panel.ts'

const host = ['host']
const iface = { by: ['host', 'ifname'], legend: '{{host}} {{ifname}}' }

const interfaces: Panel[] = [
  {
    title: 'Bytes sent',
    means: "Bytes that each interface of the probe's network namespace sent, with all headers.",
    bad: 'Near the speed of the link packets wait and are dropped: Top talkers in Overview says who sends.',
    kind: 'lines',
    queries: [rate('iface:traffic', 'bytes_sent', iface)],
    width: 12,
  },
  {
    title: 'Bytes received',
    means: 'Bytes that each interface received, with all headers.',
    bad: 'Near the speed of the link packets are dropped before they arrive: see who receives in Containers.',
    kind: 'lines',
    queries: [rate('iface:traffic', 'bytes_rcvd', iface)],
    width: 12,
  },
  {
    title: 'Dropped packets',
    means: 'Packets that each interface dropped, on the way in and out, per second.',
    bad: 'In: the host is too slow or its rings too small (ethtool -g). Out: the link is full.',
    kind: 'lines',
    queries: [
      rate('iface:traffic', 'dropped_rcvd', { ...iface, legend: '{{host}} {{ifname}} in' }),
      rate('iface:traffic', 'dropped_sent', { ...iface, legend: '{{host}} {{ifname}} out' }),
    ],
    width: 12,
  },
  {
    title: 'Errors',
    means: 'Packets that each interface received in error or could not send, per second.',
    bad: 'A cable, a port, or a driver: ethtool -S says which counter rises.',
    kind: 'lines',
    queries: [
      rate('iface:traffic', 'errors_rcvd', { ...iface, legend: '{{host}} {{ifname}} in' }),
      rate('iface:traffic', 'errors_sent', { ...iface, legend: '{{host}} {{ifname}} out' }),
    ],
    width: 12,
  },
]

const machine: Panel[] = [
  {
    title: 'CPU',
    means:
      'Share of the time of all cores that was not idle, and what the hypervisor took, containers included.',
    bad: 'Above 90 % round-trip times grow because programs wait for a core. Stolen time: the machine below is too full.',
    kind: 'lines',
    queries: [
      mean('host:cpu', 'load', { by: host, legend: '{{host}} busy' }),
      mean('host:cpu', 'steal', { by: host, legend: '{{host}} stolen' }),
    ],
    thresholds: [80, 95],
    width: 12,
  },
  {
    title: 'Load average',
    means: 'Load average over one minute, and cores online.',
    bad: 'More tasks than cores for long: they wait for each other.',
    kind: 'lines',
    queries: [
      mean('host:cpu', 'load1', { by: host, legend: '{{host}} load' }),
      mean('host:cpu', 'cores', { by: host, legend: '{{host}} cores' }),
    ],
    width: 12,
  },
  {
    title: 'Memory',
    means: 'Memory of the whole machine that is not available to a program that asks for it, and all of it.',
    bad: 'When used comes near to the total, the kernel ends programs; see its log for "Out of memory".',
    kind: 'lines',
    queries: [
      level('host:mem', 'used', { by: host, legend: '{{host}} used' }),
      level('host:mem', 'total', { by: host, legend: '{{host}} total' }),
    ],
    width: 12,
  },
  {
    title: 'Swap used',
    means: 'Swap space in use.',
    bad: 'A rise means that memory is short; programs then stop for milliseconds, which round-trip times show.',
    kind: 'lines',
    queries: [level('host:mem', 'swap_used', { by: host, legend: '{{host}}' })],
    width: 12,
  },
]

const outside: Panel[] = [
  {
    title: 'Flows outside of containers',
    means: 'Conversations of processes in no container.',
    bad: 'Processes says which process they are of.',
    kind: 'lines',
    queries: [
      level('host:num_flows', 'as_client', { by: host, legend: '{{host}} as client' }),
      level('host:num_flows', 'as_server', { by: host, legend: '{{host}} as server' }),
    ],
    width: 12,
  },
  {
    title: 'Round-trip time outside of containers',
    means: 'Median and 95th percentile of the TCP round-trip times of processes in no container.',
    bad: 'High here and in all containers: the network of the host. High here alone: one peer of one daemon.',
    kind: 'lines',
    queries: [
      worst('host:rtt_dist', 'p50', { by: host, legend: '{{host}} p50' }),
      worst('host:rtt_dist', 'p95', { by: host, legend: '{{host}} p95' }),
    ],
    thresholds: [100, 200],
    width: 12,
  },
]

export const machines: Dashboard = {
  name: 'host',
  title: 'Interfaces and host',
  description: 'Interfaces, CPU and memory of each host, and what is in no container there.',
  variables: ['host'],
  rows: [
    { title: 'Interfaces', panels: interfaces },
    { title: 'Host', panels: machine },
    { title: 'Outside of containers', panels: outside },
  ],
}
