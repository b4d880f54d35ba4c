/** A row of the metric tables. The sinks, the catalogue and the documents all read these rows. */

import type { FlowSums, Group } from '../../wire/count/flow_sums.ts'
import type { Histogram } from '../../wire/count/histogram.ts'
import type { Coarse } from './coarse.ts'

/** What is switched together by `--metrics`. */
export const GROUPS = [
  'flows',
  'rtt',
  'rtt_dist',
  'traffic',
  'tcp',
  'connect',
  'limits',
  'stalls',
  'accept',
  'queueing',
  'throughput',
  'process',
  'subnet',
  'peer',
  'workload',
  'service',
  'node',
  'conntrack',
  'host',
  'stats',
] as const
export type MetricGroup = (typeof GROUPS)[number]
/** Off unless `--metrics` names them: they have many series, or cost more. */
export const OPT_IN: readonly MetricGroup[] = [
  'process',
  'subnet',
  'peer',
  'workload',
  'service',
  'node',
  'conntrack',
]

/** What a unit is called, and what the sample's number is in the units of the record and in base units. */
interface Unit {
  /** Units of the record in one unit of the sample: converted once, when the sample is made. */
  readonly divisor: number
  /** The base unit, as Prometheus names it; empty for things that are counted. */
  readonly base: string
  /** Units of the sample in one base unit. */
  readonly perBase: number
}

const counted: Unit = { divisor: 1, base: '', perBase: 1 }

export const UNITS = {
  flows: counted,
  containers: counted,
  samples: counted,
  connections: counted,
  segments: counted,
  packets: counted,
  resets: counted,
  timeouts: counted,
  listeners: counted,
  drops: counted,
  errors: counted,
  messages: counted,
  rows: counted,
  probes: counted,
  series: counted,
  cores: counted,
  losses: counted,
  windows: counted,
  /** From 1/100, a number without a unit. */
  tasks: { divisor: 100, base: '', perBase: 1 },
  /** From microseconds. */
  ms: { divisor: 1000, base: 'seconds', perBase: 1000 },
  seconds: { divisor: 1_000_000, base: 'seconds', perBase: 1 },
  bytes: { divisor: 1, base: 'bytes', perBase: 1 },
  bytes_per_second: { divisor: 1, base: 'bytes_per_second', perBase: 1 },
  /** From 1/100 %. */
  percent: { divisor: 100, base: 'ratio', perBase: 100 },
} as const satisfies Record<string, Unit>

export interface Field<S, Name extends string = string> {
  readonly name: Name
  /** A counter's source is what the window adds to it. */
  readonly type: 'gauge' | 'counter'
  readonly unit: keyof typeof UNITS
  readonly help: string
  /** What Prometheus calls it, where the rule in `prometheus.ts` would leave out its unit. */
  readonly prometheus?: string
  /** A name of another program that Prometheus gets it by as well. */
  readonly alias?: string
  /** What it becomes in a coarser series, where that is not what `coarse.ts` says of its type. */
  readonly coarse?: Coarse
  /** In units of the record; undefined when it was not measured: never 0. */
  readonly of: (source: S) => number | undefined
}

/** Whose flows are folded, whatever the process. */
export const LEVELS = ['container', 'pod', 'host'] as const
export type FlowLevel = (typeof LEVELS)[number] | 'process' | 'workload'
/** A process, or a workload, has one group of its own for all of its measurements. */
export const groupOf = (level: FlowLevel, group: MetricGroup): MetricGroup =>
  level === 'process' || level === 'workload' ? level : group
/** Of a subject or of one of its roles. */
export type Role = '' | 'client' | 'server'
/** Numbers by name, from no flow. */
export type Numbers = Readonly<Record<string, number>>

export interface Row<S> {
  /** `prefix:suffix` */
  readonly name: string
  readonly group: MetricGroup
  /** Tags of each series, besides those of every series of its prefix. */
  readonly dimensions: readonly string[]
  readonly fields: readonly Field<S>[]
  /** All values that the fields summarize, in microseconds: for sinks that keep distributions. */
  readonly distribution?: (source: S) => Histogram | undefined
  /** Its series are written in the windows in which they rose, and in no other. */
  readonly sparse?: true
  readonly help: string
}

/** Of flows: one series for each subject of the level. */
type SubjectMetric = { readonly dimensions: readonly [] } & Row<Group>
/** Of flows: one for each role of each subject. */
type RoleMetric = { readonly dimensions: readonly ['role'] } & Row<FlowSums>

export type FlowMetric = {
  readonly level: FlowLevel
  readonly ntopng: boolean
  /** Subjects for which it is false have no sample. */
  readonly knows?: (group: Group) => boolean
} & (SubjectMetric | RoleMetric)

/** Of rows that belong to no flow, or of what was lost: one series for each row of a host. */
export interface FlatMetric extends Row<Numbers> {
  readonly source:
    | 'iface'
    | 'host_cpu'
    | 'host_mem'
    | 'conntrack'
    | 'probe_stats'
    | 'coverage'
    | 'lost'
    | 'collector_stats'
    | 'collector_lost'
    | 'subnet'
    | 'peer'
    | 'service'
    | 'node'
}

/** Of rows that have an owner, `fold/owned.ts`: one series for each subject and the values of the dimensions. */
export interface OwnedMetric extends Row<Numbers> {
  readonly level: (typeof LEVELS)[number]
  readonly source: string
}

export type Metric = FlowMetric | FlatMetric | OwnedMetric

export const isFlow = (metric: Metric): metric is FlowMetric => !('source' in metric)
export const isFlat = (metric: Metric): metric is FlatMetric => !('level' in metric)
export const isByRole = (metric: FlowMetric): metric is FlowMetric & RoleMetric =>
  metric.dimensions.length > 0

/** Tags of every series with this prefix; what cannot be known is left out. */
const HOST = ['ifid', 'host']
/** Of pods, where there are facts of the cluster. */
const OF_CLUSTER = ['owner_kind', 'owner_name', 'node']
const TAGS: Readonly<Record<string, readonly string[]>> = {
  container: ['ifid', 'container', 'host', 'container_name', 'pod', 'namespace', ...OF_CLUSTER, 'label_*'],
  pod: ['ifid', 'pod', 'namespace', 'host', ...OF_CLUSTER, 'label_*'],
  workload: ['ifid', 'workload', 'owner_kind', 'namespace', 'host'],
  process: ['ifid', 'process', 'container', 'host'],
  host: HOST,
  subnet: HOST,
  peer: HOST,
  service: HOST,
  node: HOST,
  iface: HOST,
  probe: HOST,
  collector: ['host'],
}

export const tagsOf = ({ name, dimensions }: Metric): readonly string[] => [
  ...TAGS[name.split(':', 1)[0]!]!,
  ...dimensions,
]
