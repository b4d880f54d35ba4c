/** Data sources as Grafana reads them from files: grafana.com/docs/grafana/latest/administration/provisioning. */

/** What Grafana reads from: a version of InfluxDB, or Prometheus. */
export const DATABASES = ['influxdb1', 'influxdb2', 'influxdb3', 'prometheus'] as const
export type Database = (typeof DATABASES)[number]

/** Dashboards and alerts are written for one of these. */
export const DIALECTS = ['influxql', 'prometheus'] as const
export type Dialect = (typeof DIALECTS)[number]
export const dialectOf = (database: Database): Dialect =>
  database === 'prometheus' ? 'prometheus' : 'influxql'

export const DATASOURCE_UIDS: Readonly<Record<Dialect, string>> = {
  influxql: 'sockflux-influxdb',
  prometheus: 'sockflux-prometheus',
}

/** What is not given is a variable of Grafana's environment: `$INFLUX_URL`, `$INFLUX_TOKEN` and so on. */
export interface DatasourceOptions {
  readonly database: Database
  /** As Grafana reaches it. */
  readonly url?: string
  /** Of InfluxDB 1.x, the name of the bucket's DBRP mapping in 2.x. */
  readonly name?: string
  /** InfluxDB 1.x. */
  readonly user?: string
  readonly password?: string
  /** InfluxDB 2.x and 3.x. */
  readonly token?: string
  /** Of the probes, or of Prometheus' scrapes; seconds. No panel has finer steps. */
  readonly interval?: number
}

/** Grafana takes what follows a `$` for a variable. */
const literal = (text: string): string => text.replaceAll('$', '$$$$')
const given = (text: string | undefined, variable: string): string =>
  text === undefined ? `$${variable}` : literal(text)

type Datasource = Readonly<Record<string, unknown>>

const influxql = ({ name }: DatasourceOptions, httpMode: 'GET' | 'POST', timeInterval: string) => ({
  version: 'InfluxQL',
  dbName: given(name, 'INFLUX_DATABASE'),
  httpMode,
  timeInterval,
})

/** InfluxDB 2.x and 3.x take a token where 1.x takes user and password. */
const withToken = (options: DatasourceOptions, timeInterval: string): Datasource => ({
  type: 'influxdb',
  url: given(options.url, 'INFLUX_URL'),
  // they document no other way to ask
  jsonData: { ...influxql(options, 'GET', timeInterval), httpHeaderName1: 'Authorization' },
  secureJsonData: { httpHeaderValue1: `Token ${given(options.token, 'INFLUX_TOKEN')}` },
})

const KINDS: Readonly<Record<Database, (options: DatasourceOptions, timeInterval: string) => Datasource>> = {
  influxdb1: (options, timeInterval) => ({
    type: 'influxdb',
    url: given(options.url, 'INFLUX_URL'),
    user: given(options.user, 'INFLUX_USERNAME'),
    // many pods that are chosen are longer than an address may be: 414
    jsonData: influxql(options, 'POST', timeInterval),
    secureJsonData: { password: given(options.password, 'INFLUX_PASSWORD') },
  }),
  influxdb2: withToken,
  influxdb3: withToken,
  prometheus: ({ url }, timeInterval) => ({
    type: 'prometheus',
    url: given(url, 'PROMETHEUS_URL'),
    jsonData: { httpMode: 'POST', timeInterval },
  }),
}

const DEFAULT_INTERVAL = 10

export function datasource(options: DatasourceOptions) {
  const { database, interval = DEFAULT_INTERVAL } = options
  const dialect = dialectOf(database)
  return {
    apiVersion: 1,
    datasources: [
      {
        name: dialect === 'influxql' ? 'Sockflux InfluxDB' : 'Sockflux Prometheus',
        uid: DATASOURCE_UIDS[dialect],
        access: 'proxy',
        ...KINDS[database](options, `${interval}s`),
      },
    ],
  }
}
