/** The continuous queries that compute minutes and hours. */

import type { Api } from '../api.ts'
import { PREFIX } from '../resolutions.ts'
import type { Plan } from '../step.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { createQuery, name, plain, queryName } from './influxql.ts'
import { ask, statement } from './server.ts'

/** `sockflux_1m_container:num_flows`: of a resolution and a measurement, also of those there are no more. */
const OURS = new RegExp(`^${PREFIX}\\d+[a-z]+_[a-z]+:[a-z_]+$`)

export async function queries(api: Api, wanted: Wanted, raw: string): Promise<Plan> {
  const place = { database: wanted.database, raw }
  const shown = await ask(api, 'SHOW CONTINUOUS QUERIES')
  const present = new Map(
    shown
      .filter(row => row['series'] === wanted.database)
      .map(row => [String(row['name']), String(row['query'])]),
  )
  const needed = new Map(
    wanted.resolutions
      .filter(isOn)
      .flatMap(resolution =>
        wanted.metrics.map(metric => [queryName(resolution, metric), createQuery(place, resolution, metric)]),
      ),
  )
  // another profile's, or of a measurement that is not made any more
  const isUnwanted = (query: string) => OURS.test(query) && !needed.has(query)
  const drop = (query: string) =>
    statement(api, `DROP CONTINUOUS QUERY ${name(query)} ON ${name(wanted.database)}`)
  const changed = [...needed].flatMap(([query, text]) => {
    const before = present.get(query)
    if (before !== undefined && plain(before) === plain(text)) return []
    return [...(before === undefined ? [] : [drop(query)]), statement(api, text)]
  })
  return {
    steps: [...[...present.keys()].filter(isUnwanted).map(drop), ...changed],
    notes: await isSwitchedOff(api),
  }
}

/** InfluxDB keeps continuous queries also when its configuration runs none. */
async function isSwitchedOff(api: Api): Promise<string[]> {
  // hosted servers do not tell it
  const rows = await ask(api, 'SHOW DIAGNOSTICS').catch(() => [])
  const row = rows.find(row => row['series'] === 'config-cqs')
  return row?.['enabled'] === false
    ? [
        'continuous queries are off in the configuration of InfluxDB: set enabled = true below [continuous_queries] and restart it, else there are no minutes and hours',
      ]
    : []
}
