/** InfluxDB 1.x: database, policies, continuous queries, users. */

import type { Api } from '../api.ts'
import { together } from '../step.ts'
import type { Version } from '../version.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { select } from './influxql.ts'
import { policies } from './policies.ts'
import { queries } from './queries.ts'
import { ask } from './server.ts'
import { users } from './users.ts'

export const version1: Version = {
  async plan(api, wanted) {
    await asAdministrator(api)
    const first = await policies(api, wanted)
    const plan = together([first, await queries(api, wanted, first.raw), await users(api, wanted)])
    return { ...plan, backfill: (from, to) => backfill(api, wanted, first.raw, from, to) }
  },
}

/** Everybody may SHOW DATABASES and gets those he may see; this one says whether he may change something. */
const asAdministrator = (api: Api) => ask(api, 'SHOW USERS')

/** @returns points written */
async function backfill(api: Api, wanted: Wanted, raw: string, from: number, to: number): Promise<number> {
  const place = { database: wanted.database, raw }
  let points = 0
  for (const resolution of wanted.resolutions.filter(isOn))
    for (const metric of wanted.metrics) {
      const where = `WHERE time >= ${from}s AND time < ${to}s `
      const [row] = await ask(api, select(place, resolution, metric, where))
      points += Number(row?.['written'] ?? 0)
    }
  return points
}
