/** The alerts as Prometheus' own rules: prometheus.io/docs/prometheus/latest/configuration/alerting_rules. */

import { alertsFor } from './alerts.ts'
import { templated } from './grafana.ts'
import { alertExpression } from './promql.ts'

export const prometheusRules = () => ({
  groups: [
    {
      name: 'sockflux',
      rules: alertsFor().map(alert => {
        const { name, summary, remedy, severity, lasting, above } = alert
        const { expression, above: limit } = alertExpression(alert)
        return {
          alert: name,
          expr: above === 'silent' ? expression : `(${expression}) > ${limit}`,
          ...(lasting > 0 && { for: `${lasting}m` }),
          labels: { severity, system: 'sockflux' },
          annotations: { summary: templated(summary), description: remedy },
        }
      }),
    },
  ],
})
