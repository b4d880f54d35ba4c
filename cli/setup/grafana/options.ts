/** The settings of `sockflux setup grafana`, besides those of the collector's InfluxDB. */

import { optional } from '../../../collector/sinks/descriptor.ts'
import { type Limits, limitOf } from '../../../grafana/alerting/alerts.ts'
import { DATABASES } from '../../../grafana/datasource.ts'
import { setting } from '../../../wire/settings/settings.ts'
import { oneOf, text, whole, yesNo } from '../../../wire/settings/types.ts'

const address = () =>
  text().regex(/^https?:\/\/[^\s@]+$/, 'needs an address such as http://influxdb:8086, without a login')

/** The alerts whose limits are settings, by the setting. */
const LIMITS = {
  rttAbove: 'SockfluxRttHigh',
  retransmitsAbove: 'SockfluxRetransmits',
  failedAbove: 'SockfluxConnectsFail',
} as const
type Limit = keyof typeof LIMITS

export const limitsOf = (own: Readonly<Record<Limit, number>>): Limits =>
  Object.fromEntries(Object.entries(LIMITS).map(([setting, alert]) => [alert, own[setting as Limit]]))

export const grafanaSettings = {
  datasource: optional({
    type: oneOf(...DATABASES),
    value: '<name>',
    help: `what Grafana reads: ${DATABASES.join(', ')}; default: InfluxDB, of the version at --influx-url`,
  }),
  datasourceUrl: optional({
    type: address(),
    value: '<address>',
    help: 'the database as Grafana reaches it; default: --influx-url; without both, the variable INFLUX_URL or PROMETHEUS_URL of Grafana',
  }),
  mountedAt: setting({
    type: text().regex(/^\//, 'needs a path that begins with /'),
    fallback: '/etc/grafana/provisioning',
    value: '<path>',
    help: 'where Grafana finds the folder',
  }),
  windowSeconds: setting({
    type: whole(1, 3600),
    fallback: 10,
    value: '<seconds>',
    help: '--interval of the probes, or scrape_interval of Prometheus: no panel has finer steps',
  }),
  rttAbove: setting({
    type: whole(1, 60_000),
    fallback: limitOf(LIMITS.rttAbove),
    value: '<ms>',
    help: 'alert on a container whose 95th percentile of round-trip times is longer',
  }),
  retransmitsAbove: setting({
    type: whole(1, 100),
    fallback: limitOf(LIMITS.retransmitsAbove),
    value: '<percent>',
    help: 'alert on a container that sends more of its packets again',
  }),
  failedAbove: setting({
    type: whole(0, 1_000_000),
    fallback: limitOf(LIMITS.failedAbove),
    value: '<count>',
    help: 'alert on a container of which more connects failed in 5 minutes',
  }),
  replace: setting({
    type: yesNo(),
    fallback: false,
    help: 'write over files that are in the way and were written or changed by others',
  }),
}
