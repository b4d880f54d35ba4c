/** What pods of one Deployment, DaemonSet, … have together: series that stay when its pods do not. */

import { flows, rtt, rttVariance, traffic } from './flows.ts'
import { tcp } from './tcp.ts'

export const workloadMetrics = [
  flows('workload'),
  rtt('workload'),
  rttVariance('workload'),
  traffic('workload'),
  tcp('workload'),
]
