/**
 * What Grafana is given to start with. The servers of InfluxDB 2.x and 3.x do not run here: their data sources are
 * compared with the keys that grafana.com/docs/grafana/latest/datasources/influxdb/configure documents.
 */

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { DATABASES, type DatasourceOptions, dialectOf } from '../../grafana/datasource.ts'
import { provisioning } from '../../grafana/provisioning.ts'
import { files, paths, read } from './files.ts'

interface Source {
  readonly name: string
  readonly uid: string
  readonly type: string
  readonly access: string
  readonly url: string
  readonly user?: string
  readonly jsonData: Record<string, string>
  readonly secureJsonData?: Record<string, string>
}

const sourcesOf = (text: string): Source[] => (parse(text) as { datasources: Source[] }).datasources

const influx = { type: 'influxdb', access: 'proxy', uid: 'sockflux-influxdb' }
const json = { version: 'InfluxQL', httpMode: 'GET', timeInterval: '10s' }
const withPost = { ...json, httpMode: 'POST' }
const withToken = {
  ...influx,
  url: '$INFLUX_URL',
  jsonData: { ...json, dbName: '$INFLUX_DATABASE', httpHeaderName1: 'Authorization' },
  secureJsonData: { httpHeaderValue1: 'Token $INFLUX_TOKEN' },
}
const EXPECTED = {
  influxdb1: {
    ...{ ...influx, url: '$INFLUX_URL', user: '$INFLUX_USERNAME' },
    jsonData: { ...withPost, dbName: '$INFLUX_DATABASE' },
    secureJsonData: { password: '$INFLUX_PASSWORD' },
  },
  influxdb2: withToken,
  influxdb3: withToken,
  prometheus: {
    ...{ type: 'prometheus', access: 'proxy', uid: 'sockflux-prometheus', url: '$PROMETHEUS_URL' },
    jsonData: { httpMode: 'POST', timeInterval: '10s' },
  },
}

t.test('each database has a folder of its own, with its data source alone', async t => {
  t.same(paths('provisioning/*'), DATABASES.map(database => `provisioning/${database}`).sort())
  for (const database of DATABASES) {
    t.same(paths(`provisioning/${database}/*/*`), [
      ...['alerting', 'dashboards', 'datasources'].map(
        name => `provisioning/${database}/${name}/sockflux.yaml`,
      ),
    ])
    const sources = sourcesOf(read(`provisioning/${database}/datasources/sockflux.yaml`))
    t.equal(sources.length, 1)
    const { name, ...source } = sources[0]!
    t.same(source, EXPECTED[database], database)
    t.match(name, /^Sockflux /)
  }
})

t.test('where the dashboards are looked for, they are', async t => {
  for (const database of DATABASES) {
    const { providers } = parse(read(`provisioning/${database}/dashboards/sockflux.yaml`)) as {
      providers: { type: string; options: { path: string } }[]
    }
    t.equal(providers.length, 1)
    const [, folder] = /^\/etc\/sockflux\/grafana\/(\w+)$/.exec(providers[0]!.options.path)!
    t.equal(folder, dialectOf(database))
    t.ok(existsSync(join(import.meta.dirname, '../../grafana', folder!)))
  }
})

t.test('a folder for given options is complete, and says no variable', async t => {
  const options: DatasourceOptions = {
    ...{
      database: 'influxdb2',
      url: 'http://i:8086',
      name: 'flows',
      token: 'a$b$INFLUX_URL${c}',
      interval: 30,
    },
  }
  const folder = provisioning({ ...options, folder: '/srv/grafana' })
  const dashboards = files.filter(({ dialect }) => dialect === 'influxql')
  t.same(
    [...folder.keys()],
    [
      ...['datasources', 'alerting', 'dashboards'].map(name => `${name}/sockflux.yaml`),
      ...dashboards.map(({ name }) => `dashboards/sockflux/${name}.json`),
    ],
  )
  const [source] = sourcesOf(folder.get('datasources/sockflux.yaml')!)
  t.match(source, {
    url: 'http://i:8086',
    jsonData: { dbName: 'flows', timeInterval: '30s' },
    secureJsonData: { httpHeaderValue1: 'Token a$$b$$INFLUX_URL$${c}' },
  })
  t.match(folder.get('dashboards/sockflux.yaml'), 'path: /srv/grafana/dashboards/sockflux')
  for (const { name, text } of dashboards) t.equal(folder.get(`dashboards/sockflux/${name}.json`), text)
  const other = provisioning({ database: 'prometheus', url: 'http://p:9090' })
  t.match(other.get('alerting/sockflux.yaml'), 'datasourceUid: sockflux-prometheus')
})
