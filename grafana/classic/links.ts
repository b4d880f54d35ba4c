/** Links from one dashboard to another: the time and the variables are kept. */

import {
  type DashboardLink,
  DashboardLinkBuilder,
  DashboardLinkType,
} from '@grafana/grafana-foundation-sdk/dashboard'
import type { Dialect } from '../datasource.ts'
import { type Link, uidOf } from '../table/panel.ts'

const KEPT: Readonly<Record<Dialect, readonly string[]>> = {
  influxql: ['datasource', 'rp'],
  prometheus: ['datasource'],
}

/** @param value how Grafana writes the value of a tag of what was clicked */
function linkTo({ to, title, by }: Link, dialect: Dialect, value: (tag: string) => string): DashboardLink {
  const kept = [...KEPT[dialect], ...(by.includes('host') ? [] : ['host'])]
  const parameters = [
    '${__url_time_range}',
    ...kept.map(variable => `\${${variable}:queryparam}`),
    ...by.map(tag => `var-${tag}=${value(tag)}`),
  ]
  return {
    ...new DashboardLinkBuilder(title).url(`/d/${uidOf(to, dialect)}?${parameters.join('&')}`).build(),
    targetBlank: false,
  }
}

/** @returns what Grafana calls a data link */
export function dataLink(link: Link, dialect: Dialect, of: 'row' | 'line') {
  const { title, url } = linkTo(link, dialect, tag =>
    of === 'row' ? `\${__data.fields["${tag}"]:percentencode}` : `\${__field.labels.${tag}:percentencode}`,
  )
  return { title, url, targetBlank: false }
}

/** The list of all dashboards, above each of them. */
export const toAll = (dialect: Dialect) =>
  new DashboardLinkBuilder('Sockflux')
    .type(DashboardLinkType.Dashboards)
    .tags(['sockflux', dialect])
    .asDropdown(true)
    .keepTime(true)
    .includeVars(true)
