/** The queries of an alert in InfluxQL. */

import { type Asking, influxql, policyText } from '../query/influxql.ts'
import type { Alert } from './alerts.ts'

export interface AskOptions {
  /** Of the windows; the database's default policy if undefined. */
  readonly policy?: string
  /** Of the windows, seconds. */
  readonly interval?: number
}

const askingOf = ({ policy }: AskOptions): Asking => ({
  policy: policyText(policy),
  time: '$timeFilter',
  interval: '1m',
  filter: filter => `"${filter}" =~ /.*/`,
  variables: [],
})

/** Minutes in which at least one window comes, also when it is as late as it is long. */
const minutesOf = (interval: number): number => 2 * Math.max(1, Math.ceil(interval / 60))

/**
 * Windows of each host in the last minutes; 0 for one that had some before. The mean of two intervals is 0 when the
 * running one and the one before had none: the running one alone has none yet when it is asked early in it. The outer
 * query has no bound on the time: of a day, only its last number is sent.
 */
function windows({ query: { field, measurement, by } }: Alert, options: AskOptions): string {
  const { policy, time } = askingOf(options)
  const tags = by.map(tag => `"${tag}"`).join(', ')
  const each =
    `SELECT moving_average(count("${field}"), 2) AS "windows" FROM ${policy}"${measurement}" WHERE ${time} ` +
    `GROUP BY time(${minutesOf(options.interval ?? 0)}m), ${tags} fill(0)`
  return `SELECT last("windows") FROM (${each}) GROUP BY ${tags}`
}

export const alertQueries = (alert: Alert, options: AskOptions = {}): string[] =>
  alert.above === 'silent'
    ? [windows(alert, options)]
    : [alert.query, ...(alert.shareOf ? [alert.shareOf] : [])].map(query =>
        influxql(query, askingOf(options)),
      )
