/** An alert in PromQL: whatever it gives is a reason to fire. */

import { UNITS } from '../../collector/metrics/metric.ts'
import { fieldOf } from '../query/metric.ts'
import { folded, promql, promqlShare, series } from '../query/promql.ts'
import type { Alert } from './alerts.ts'

/** The smallest number per second that a share is taken of. */
const LEAST = 1

/** @returns the expression, and what it is above; a silent one has only the former */
export function alertExpression(alert: Alert): { expression: string; above: number } {
  const { query, shareOf, above, range } = alert
  const minutes = `${range}m`
  const all = series(query, [])
  if (above === 'silent') {
    const count = `count by (${query.by.join(', ')})`
    return { expression: `${count} (last_over_time(${all}[${minutes}])) unless ${count} (${all})`, above: 0 }
  }
  if (shareOf) {
    const whole = `(${promql(shareOf, [], minutes)} > ${LEAST})`
    return { expression: promqlShare(promql(query, [], minutes), whole), above: above / 100 }
  }
  const { type, unit } = fieldOf(query)
  // a quantile has a value only in windows with samples
  if (type === 'gauge')
    return {
      expression: folded(query, `avg_over_time(${all}[${minutes}])`),
      above: above / UNITS[unit].perBase,
    }
  return { expression: promql(query, [], minutes), above }
}
