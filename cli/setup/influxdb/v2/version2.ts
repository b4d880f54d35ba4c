/** InfluxDB 2.x: buckets, tasks, mappings for InfluxQL, tokens. */

import { z } from 'zod'
import { clip } from '../../../../collector/sinks/influxdb/answers.ts'
import { type Api, json } from '../api.ts'
import { refusalOf } from '../refusals.ts'
import { together } from '../step.ts'
import type { Version } from '../version.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { buckets } from './buckets.ts'
import { period } from './flux.ts'
import { mappings } from './mappings.ts'
import { id } from './server.ts'
import { tasks } from './tasks.ts'
import { tokens } from './tokens.ts'

export const version2: Version = {
  async plan(api, wanted) {
    const org = await organisation(api, wanted.org)
    const ids = new Map<string, string>()
    const first = await buckets(api, wanted, org, ids)
    const plan = together([
      first,
      await mappings(api, wanted, org, ids),
      await tasks(api, wanted, org),
      await tokens(api, wanted, org, ids),
    ])
    return { ...plan, backfill: (from, to) => backfill(api, wanted, org, from, to) }
  },
}

const organisations = z.object({ orgs: z.array(id.extend({ name: z.string() })) })

/** @returns its id */
async function organisation(api: Api, name: string | undefined): Promise<string> {
  if (name === undefined)
    throw new Error(`InfluxDB 2 at ${api.server.url} needs the organisation: give --influx-org or INFLUX_ORG`)
  const path = `/api/v2/orgs?${new URLSearchParams({ org: name })}`
  const { orgs } = await api.get(organisations, `find organisation "${name}"`, 'GET', path)
  const found = orgs.find(org => org.name === name)
  if (found) return found.id
  throw new Error(
    `organisation "${name}" is not in InfluxDB at ${api.server.url}, or the token may not see it: correct --influx-org`,
  )
}

/** @returns points written */
async function backfill(api: Api, wanted: Wanted, org: string, from: number, to: number): Promise<number> {
  let points = 0
  for (const resolution of wanted.resolutions.filter(isOn)) {
    const query = period(wanted.database, resolution, wanted.metrics, from, to)
    const path = `/api/v2/query?${new URLSearchParams({ orgID: org })}`
    const answer = await api.send('POST', path, json({ query, type: 'flux' }))
    const refusal = refusalOf(answer, api.server, 'compute coarser series')
    if (refusal) throw refusal
    points += pointsOf(answer.text, api)
  }
  return points
}

/** The sums of the answer's tables; an error after the answer has begun is a table too (annotated CSV). */
function pointsOf(csv: string, { server }: Api): number {
  let at = -1
  let sum = 0
  for (const line of csv.split(/\r?\n/)) {
    const cells = line.split(',')
    if (cells.includes('error') && cells.includes('reference'))
      throw new Error(
        `InfluxDB at ${server.url} did not compute coarser series: ${clip(csv.slice(csv.indexOf(line) + line.length))}; look into its log, then run this again`,
      )
    if (cells.includes('_value')) at = cells.indexOf('_value')
    else if (line !== '' && !line.startsWith('#') && at >= 0) sum += Number(cells[at]) || 0
  }
  return sum
}
