/**
 * InfluxDB 3.x: the database with its retention, docs.influxdata.com/influxdb3/core/api/database. It has neither continuous
 * queries nor tasks, and tells no retention that was set before.
 */

import { z } from 'zod'
import { durationText } from '../duration.ts'
import { json } from './api.ts'
import type { Version } from './version.ts'

const PATH = '/api/v3/configure/database'
const databaseName = z.object({ 'iox::database': z.string() }).transform(row => row['iox::database'])
const databases = z.union([
  z.array(databaseName),
  z.object({ databases: z.array(z.string()) }).transform(({ databases }) => databases),
])

export const version3: Version = {
  async plan(api, { database, keepRaw, credentials }) {
    const found = await api.get(databases, 'list its databases', 'GET', `${PATH}?format=json`)
    const isThere = found.includes(database)
    const body = {
      db: database,
      ...(Number.isFinite(keepRaw) && { retention_period: durationText(keepRaw) }),
    }
    return {
      steps: isThere
        ? []
        : [
            {
              shows: `POST ${PATH} ${JSON.stringify(body)}`,
              run: () => api.do(`create database "${database}"`, 'POST', PATH, json(body)),
            },
          ],
      notes: [
        ...(isThere
          ? [
              `database "${database}" is there and keeps the retention that it has: InfluxDB 3 Core sets it when a database is made; with Enterprise run influxdb3 update database --database ${database} --retention-period ${Number.isFinite(keepRaw) ? durationText(keepRaw) : 'none'}`,
            ]
          : []),
        'InfluxDB 3.x computes no coarser series: the windows themselves are kept for the whole retention',
        ...(credentials === undefined
          ? []
          : [
              '--credentials: InfluxDB 3 Core has admin tokens only; with Enterprise make one for the database: influxdb3 create token --permission',
            ]),
      ],
    }
  },
}
