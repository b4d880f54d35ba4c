/** The queries of an alert in InfluxQL. No retention policy: an alert looks at what was written last. */

import { type Asking, influxql } from '../query/influxql.ts'
import type { Alert } from './alerts.ts'

const INTERVAL = '1m'
const ASKING: Asking = {
  policy: '',
  time: '$timeFilter',
  interval: INTERVAL,
  filter: filter => `"${filter}" =~ /.*/`,
  variables: [],
}

/**
 * Windows of each host by the minute. The mean of two minutes is 0 when the running one and the one before had none: the
 * running minute alone has none yet when it is asked early in it.
 */
const windows = ({ query }: Alert): string =>
  `SELECT moving_average(count("${query.field}"), 2) FROM "${query.measurement}" WHERE ${ASKING.time} ` +
  `GROUP BY time(${INTERVAL}), ${query.by.map(tag => `"${tag}"`).join(', ')} fill(0)`

export const alertQueries = (alert: Alert): string[] =>
  alert.above === 'silent'
    ? [windows(alert)]
    : [alert.query, ...(alert.shareOf ? [alert.shareOf] : [])].map(query => influxql(query, ASKING))
