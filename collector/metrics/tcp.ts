/** Measurements of TCP conversations. */

import type { Level, Metric } from './metric.ts'

const roles = ['as_client', 'as_server'] as const

const flows = (level: Level): Metric => ({
  name: `${level}:num_flows`,
  level,
  fold: 'flows',
  fields: roles,
  divisor: 1,
  unit: 'flows',
  help: `conversations of the ${level} that were open at some time in the window`,
  ntopng: level !== 'host',
})

const rtt = (level: Level): Metric => ({
  name: `${level}:rtt`,
  level,
  fold: 'mean',
  source: 'rtt_us',
  fields: roles,
  divisor: 1000,
  unit: 'ms',
  help: "mean of the kernel's smoothed round-trip times",
  ntopng: level !== 'host',
})

const rttVariance = (level: Level): Metric => ({
  name: `${level}:rtt_variance`,
  level,
  fold: 'mean',
  source: 'rtt_var_us',
  fields: roles,
  divisor: 1000,
  unit: 'ms',
  help: "mean of the kernel's smoothed mean deviations of the round-trip time",
  ntopng: level !== 'host',
})

const numContainers: Metric = {
  name: 'pod:num_containers',
  level: 'pod',
  fold: 'containers',
  fields: ['num_containers'],
  divisor: 1,
  unit: 'containers',
  help: 'running containers of the pod, with flows or without; the sandbox is not counted',
  ntopng: true,
}

const LEVELS: readonly Level[] = ['container', 'pod', 'host']

export const tcpMetrics: readonly Metric[] = [
  ...LEVELS.flatMap(level => [flows(level), rtt(level), rttVariance(level)]),
  numContainers,
]
