/**
 * Writes the files for Grafana, Prometheus and Chronograf from the tables in `table/` and `alerting/`.
 *
 *     node grafana/generate.ts
 */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { grafanaRules } from './alerting/grafana.ts'
import { prometheusRules } from './alerting/prometheus.ts'
import { importable, protoboard, resource } from './cells/chronograf.ts'
import { dashboardJson } from './classic/dashboard.ts'
import { DATABASES, DIALECTS, datasource, dialectOf } from './datasource.ts'
import { provider, yaml } from './provisioning.ts'
import { dashboards } from './table/dashboards.ts'

const ROOT = import.meta.dirname
/** Folders that hold nothing else. */
const FOLDERS = ['influxql', 'prometheus', 'provisioning', 'rules', 'chronograf']
/** Where Grafana finds this folder, when it is mounted. */
const MOUNTED = '/etc/sockflux/grafana'

const json = (value: unknown): string => `${JSON.stringify(value, undefined, 1)}\n`

/** @returns the text of each file, by its path below this folder */
export function files(): Map<string, string> {
  const files = new Map<string, string>()
  for (const dashboard of dashboards) {
    const { name } = dashboard
    for (const dialect of DIALECTS) files.set(`${dialect}/${name}.json`, dashboardJson(dashboard, dialect))
    files.set(`chronograf/import/${name}.json`, json(importable(dashboard)))
    files.set(`chronograf/resources/${name}.dashboard`, json(resource(dashboard)))
    files.set(`chronograf/protoboards/${name}.json`, json(protoboard(dashboard)))
  }
  for (const database of DATABASES) {
    const dialect = dialectOf(database)
    const folder = `provisioning/${database}`
    files.set(`${folder}/datasources/sockflux.yaml`, yaml(datasource({ database })))
    files.set(`${folder}/dashboards/sockflux.yaml`, yaml(provider(`${MOUNTED}/${dialect}`)))
    files.set(`${folder}/alerting/sockflux.yaml`, yaml(grafanaRules(dialect)))
  }
  files.set('rules/sockflux.yaml', yaml(prometheusRules()))
  return files
}

if (import.meta.main) {
  for (const folder of FOLDERS) rmSync(join(ROOT, folder), { recursive: true, force: true })
  for (const [path, text] of files()) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true })
    writeFileSync(join(ROOT, path), text)
  }
}
