/**
 * The alerts as Grafana's alerting reads them from a file:
 * grafana.com/docs/grafana/latest/alerting/set-up/provision-alerting-resources/file-provisioning.
 */

import { DATASOURCE_UIDS, type Dialect } from '../datasource.ts'
import { type Alert, type AlertOptions, alertsFor } from './alerts.ts'
import { type AskOptions, alertQueries } from './influxql.ts'
import { alertExpression } from './promql.ts'

type Step = Readonly<Record<string, unknown>>

const EXPRESSION = '__expr__'
const MINUTE_MS = 60_000

const expression = (refId: string, model: Step): Step => ({
  refId,
  datasourceUid: EXPRESSION,
  model: { refId, datasource: { type: EXPRESSION, uid: EXPRESSION }, ...model },
})

const asks = (refId: string, dialect: Dialect, minutes: number, model: Step): Step => ({
  refId,
  relativeTimeRange: { from: minutes * 60, to: 0 },
  datasourceUid: DATASOURCE_UIDS[dialect],
  model: { refId, intervalMs: MINUTE_MS, maxDataPoints: 1000, ...model },
})

const compare = (refId: string, of: string, type: 'gt' | 'lt', than: number): Step =>
  expression(refId, {
    type: 'threshold',
    expression: of,
    conditions: [{ evaluator: { type, params: [than] } }],
  })

const reduce = (refId: string, of: string, reducer: string): Step =>
  expression(refId, { type: 'reduce', expression: of, reducer, settings: { mode: 'dropNN' } })

/** What becomes of the minutes of a range: a total is added up, a silence is at its end. */
const reducerOf = ({ query, above }: Alert): string =>
  above === 'silent' ? 'last' : query.calc === 'increase' || query.calc === 'events' ? 'sum' : 'mean'

function influxqlSteps(alert: Alert, options: AskOptions): { steps: Step[]; condition: string } {
  const { above, range } = alert
  const queries = alertQueries(alert, options).map((query, at) =>
    asks('AB'[at]!, 'influxql', range, { query, rawQuery: true, resultFormat: 'time_series' }),
  )
  const reducer = reducerOf(alert)
  if (queries.length === 1)
    return {
      steps: [
        ...queries,
        reduce('C', 'A', reducer),
        above === 'silent' ? compare('D', 'C', 'lt', 0.5) : compare('D', 'C', 'gt', above),
      ],
      condition: 'D',
    }
  return {
    steps: [
      ...queries,
      reduce('C', 'A', reducer),
      reduce('D', 'B', reducer),
      // where there is at least one per second of the whole
      expression('E', { type: 'math', expression: '100 * $C / $D * ($D > 1)' }),
      compare('F', 'E', 'gt', above as number),
    ],
    condition: 'F',
  }
}

function prometheusSteps(alert: Alert): { steps: Step[]; condition: string } {
  const { expression, above } = alertExpression(alert)
  return {
    steps: [
      asks('A', 'prometheus', alert.range, { expr: expression, instant: true, range: false }),
      compare('B', 'A', 'gt', above),
    ],
    condition: 'B',
  }
}

const TAG = /\{\{(\w+)\}\}/g
const labels = (text: string): string => text.replace(TAG, '{{ .Labels.$1 }}')
/** In Go's templates, as Grafana and Prometheus read them; no `$`, which a file's reader might take for a variable. */
export const templated = (text: string): string =>
  text
    .split(/(\[[^\]]*\])/)
    .map(part => (part.startsWith('[') ? whereNamed(part.slice(1, -1)) : labels(part)))
    .join('')

/** Only where all of its tags have values. */
function whereNamed(text: string): string {
  const tags = Array.from(text.matchAll(TAG), ([, tag]) => tag)
  const begin = tags.map(tag => `{{ if .Labels.${tag} }}`).join('')
  return begin + labels(text) + '{{ end }}'.repeat(tags.length)
}

export interface RuleOptions extends AlertOptions, AskOptions {}

function ruleOf(alert: Alert, dialect: Dialect, options: RuleOptions) {
  const { name, title, summary, remedy, severity, lasting } = alert
  const { steps, condition } = dialect === 'influxql' ? influxqlSteps(alert, options) : prometheusSteps(alert)
  return {
    uid: `${name.replace(/\B[A-Z]/g, '-$&').toLowerCase()}-${dialect}`,
    title,
    condition,
    data: steps,
    // nothing is lost, nothing is slow: there is no series
    noDataState: 'OK',
    execErrState: 'Error',
    for: `${lasting}m`,
    annotations: { summary: templated(summary), description: remedy },
    labels: { severity, system: 'sockflux' },
  }
}

export const grafanaRules = (dialect: Dialect, options: RuleOptions = {}) => ({
  apiVersion: 1,
  groups: [
    {
      ...{ orgId: 1, name: 'sockflux', folder: 'Sockflux', interval: '1m' },
      rules: alertsFor(options).map(alert => ruleOf(alert, dialect, options)),
    },
  ],
})
