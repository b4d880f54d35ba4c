/** The folder that Grafana provisions itself from: data source, dashboards and alert rules of one database. */

import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { stringify } from 'yaml'
import type { Limits } from './alerting/alerts.ts'
import { grafanaRules } from './alerting/grafana.ts'

import { type DatasourceOptions, type Dialect, datasource, dialectOf } from './datasource.ts'

export interface ProvisioningOptions extends DatasourceOptions {
  /** Where Grafana finds this folder. */
  readonly folder?: string
  /** InfluxDB's retention policy with the windows, which alerts ask; the database's default if undefined. */
  readonly policy?: string
  /** The policy that dashboards open on. */
  readonly opensOn?: string
  /** Of the alerts that are not as in their table. */
  readonly limits?: Limits
}

const FOLDER = '/etc/grafana/provisioning'
const HEAD = '# Written by Sockflux from its tables of panels and alerts.\n'
export const yaml = (value: unknown): string => HEAD + stringify(value, { lineWidth: 0 })

/** @param path of the folder of the dashboards, as Grafana sees it */
export const provider = (path: string) => ({
  apiVersion: 1,
  providers: [{ name: 'sockflux', folder: 'Sockflux', type: 'file', options: { path } }],
})

/** Opens on this retention policy; Grafana takes the first one of the database when it does not have it. */
function openedOn(policy: string, text: string): string {
  const dashboard = JSON.parse(text) as { templating: { list: { name: string; current: unknown }[] } }
  for (const variable of dashboard.templating.list)
    if (variable.name === 'rp') variable.current = { text: policy, value: policy }
  return `${JSON.stringify(dashboard, undefined, 2)}\n`
}

/** The dashboards beside this file, by name. */
function dashboards(dialect: Dialect): [string, string][] {
  const folder = join(import.meta.dirname, dialect)
  return readdirSync(folder)
    .sort()
    .map(name => [name, readFileSync(join(folder, name), 'utf8')])
}

/** @returns each file's path below the folder, and its text */
export function provisioning(options: ProvisioningOptions): Map<string, string> {
  const { folder = FOLDER, policy, opensOn = policy } = options
  return new Map([
    ['datasources/sockflux.yaml', yaml(datasource(options))],
    ['alerting/sockflux.yaml', yaml(grafanaRules(dialectOf(options.database), options))],
    ['dashboards/sockflux.yaml', yaml(provider(`${folder}/dashboards/sockflux`))],
    ...dashboards(dialectOf(options.database)).map(
      ([name, text]) =>
        [`dashboards/sockflux/${name}`, opensOn === undefined ? text : openedOn(opensOn, text)] as const,
    ),
  ])
}
