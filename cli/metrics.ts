/** `sockflux metrics`: the metrics, from the tables, and their current number of series on this host. */

import type { Command } from 'commander'
import { catalogue } from '../collector/metrics/catalogue.ts'
import { described } from '../collector/metrics/describe.ts'
import type { Metric } from '../collector/metrics/metric.ts'
import { collectorSettings } from '../collector/options.ts'
import { readSettings } from '../wire/settings/read.ts'
import { addFlags } from '../wire/settings/settings.ts'
import { ask, print } from './client.ts'
import { formats } from './format.ts'

const { socket } = collectorSettings

/** Series in use, as `GET /series` answers. */
type Plan = readonly { readonly measurement: string; readonly series: number }[]

export function addMetrics(program: Command): void {
  const command = program
    .command('metrics')
    .description('each measurement with tags, fields, type, unit and meaning')
    .option('--plan', 'the number of series of each now, from the running collector')
    .option('--json', 'print JSON')
  addFlags(command, 'collector', { socket })
  command.action(async (flags: Readonly<Record<string, unknown>>) => {
    const json = flags['json'] === true
    if (!flags['plan']) {
      await print(
        process.stdout,
        json ? `${JSON.stringify(catalogue.map(described), null, 2)}\n` : list(catalogue),
      )
      return
    }
    const values = readSettings(collectorSettings, 'collector', flags, process.env)
    const { status, body } = await ask(values.socket, 'GET', '/series')
    if (status !== 200) throw new Error(`the collector answered ${status}`)
    await print(process.stdout, planned(JSON.parse(body) as Plan, json))
  })
}

/** For people at a terminal. */
export function list(metrics: readonly Metric[]): string {
  return metrics
    .map(described)
    .map(({ measurement, group, tags, help, fields, histogram }) => {
      const width = Math.max(...fields.map(({ name }) => name.length))
      const unitWidth = Math.max(...fields.map(({ unit }) => unit.length))
      const prometheusWidth = Math.max(...fields.map(({ prometheus }) => prometheus.length))
      const lines = fields.map(
        ({ name, type, unit, prometheus, help }) =>
          `  ${name.padEnd(width)}  ${type.padEnd(7)}  ${unit.padEnd(unitWidth)}  ${prometheus.padEnd(prometheusWidth)}  ${help}`,
      )
      return [
        `${measurement}  (group ${group})`,
        `  ${help}`,
        `  tags: ${tags.join(', ')}`,
        ...lines,
        ...(histogram ? [`  in Prometheus also the histogram ${histogram}`] : []),
        '',
      ].join('\n')
    })
    .join('\n')
}

export function planned(plan: Plan, json = false): string {
  const total = plan.reduce((sum, { series }) => sum + series, 0)
  if (json) return `${JSON.stringify({ measurements: plan, total }, null, 2)}\n`
  const rows = [...plan.map(({ measurement, series }) => [measurement, series]), ['total', total]] as const
  const columns = [
    { name: 'measurement', type: 'VARCHAR' },
    { name: 'series', type: 'INTEGER' },
  ]
  return formats.table({ columns, rows: rows.map(row => [...row]), truncated: false })
}
