/** All measurements there are. */

import { conversationMetrics } from './conversations.ts'
import { hostMetrics } from './flat.ts'
import { flowMetrics, processMetrics } from './flows.ts'
import { healthMetrics } from './health.ts'
import { isFlow, type Metric, type MetricGroup } from './metric.ts'
import { tcpMetrics } from './tcp.ts'
import { workloadMetrics } from './workloads.ts'

/** As a level of flows `host` is what is in no container; `host:cpu` and `host:mem` are the whole machine. */
const withLevel = <M extends Metric>(metric: M): M =>
  isFlow(metric) && metric.level === 'host' && !metric.help.includes('in no container')
    ? { ...metric, help: `${metric.help}; of what is in no container` }
    : metric

type Row = (
  | typeof flowMetrics
  | typeof tcpMetrics
  | typeof healthMetrics
  | typeof processMetrics
  | typeof workloadMetrics
  | typeof hostMetrics
  | typeof conversationMetrics
)[number]

/** The names of the fields by measurement: what reads samples by name does not compile with another one. */
export type Fields = { [R in Row as R['name']]: R['fields'][number]['name'] }

export const catalogue: readonly Metric[] = [
  ...[...flowMetrics, ...tcpMetrics, ...healthMetrics].map(withLevel),
  ...processMetrics,
  ...workloadMetrics,
  ...hostMetrics,
  ...conversationMetrics,
]

/** `ntopng`: exactly the measurements and tags that ntopng writes, for its dashboards and queries. */
export type Profile = 'sockflux' | 'ntopng'

/** What is written: by the groups of the settings, or ntopng's seven. */
export const metricsOf = (profile: Profile, groups: readonly MetricGroup[]): readonly Metric[] =>
  catalogue.filter(metric =>
    profile === 'ntopng' ? isFlow(metric) && metric.ntopng : groups.includes(metric.group),
  )
