/** InfluxQL reads the buckets as policies of one database: docs.influxdata.com/influxdb/v2/api-guide/influxdb-1x/dbrp. */

import { z } from 'zod'
import type { Api } from '../api.ts'
import type { Plan } from '../step.ts'
import { isOn, type Wanted } from '../wanted.ts'
import { bucketOf } from './flux.ts'
import { dbrp, type Ids, request } from './server.ts'

/** The policy of the windows has the name that a database's first one has in 1.x. */
const RAW = 'autogen'
const answer = z.object({ content: z.array(dbrp).default([]) })

export async function mappings(api: Api, wanted: Wanted, org: string, ids: Ids): Promise<Plan> {
  const { database } = wanted
  const path = `/api/v2/dbrps?${new URLSearchParams({ orgID: org, db: database })}`
  const { content } = await api.get(answer, 'list mappings of databases', 'GET', path)
  // the server makes virtual ones from the names of buckets, 2.4 and newer
  const found = content.filter(({ database: db, virtual }) => db === database && !virtual)
  const needed = [
    { policy: RAW, bucket: database, isDefault: true },
    ...wanted.resolutions.filter(isOn).map(resolution => ({
      policy: resolution.name,
      bucket: bucketOf(database, resolution),
      isDefault: false,
    })),
  ]
  const steps = needed.flatMap(({ policy, bucket, isDefault }) => {
    const present = found.find(({ retention_policy }) => retention_policy === policy)
    if (!present)
      return [
        request(
          api,
          `map database "${database}" and policy "${policy}" to bucket "${bucket}"`,
          'POST',
          '/api/v2/dbrps',
          id => ({
            orgID: org,
            bucketID: id(bucket),
            database,
            retention_policy: policy,
            default: isDefault,
          }),
          ids,
        ),
      ]
    if (present.bucketID !== ids.get(bucket))
      throw new Error(
        `database "${database}" with policy "${policy}" is mapped to another bucket (${present.bucketID}) in InfluxDB at ${api.server.url}: delete that mapping (influx v1 dbrp delete --id ${present.id}), or give another --influx-database`,
      )
    if (present.default || !isDefault) return []
    const path = `/api/v2/dbrps/${encodeURIComponent(present.id)}?${new URLSearchParams({ orgID: org })}`
    const what = `make policy "${policy}" the default of database "${database}"`
    return [request(api, what, 'PATCH', path, () => ({ default: true }), ids)]
  })
  return { steps, notes: [] }
}
