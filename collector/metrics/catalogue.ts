/** All measurements there are. */

import { hostMetrics } from './flat.ts'
import { flowMetrics, processMetrics } from './flows.ts'
import { isFlow, type Metric, type MetricGroup } from './metric.ts'
import { tcpMetrics } from './tcp.ts'

export const catalogue: readonly Metric[] = [...flowMetrics, ...tcpMetrics, ...processMetrics, ...hostMetrics]

/** `ntopng`: exactly the measurements and tags that ntopng writes, for its dashboards and queries. */
export type Profile = 'sockflux' | 'ntopng'

/** What is written: by the groups of the settings, or ntopng's seven. */
export const metricsOf = (profile: Profile, groups: readonly MetricGroup[]): readonly Metric[] =>
  catalogue.filter(metric =>
    profile === 'ntopng' ? isFlow(metric) && metric.ntopng : groups.includes(metric.group),
  )
