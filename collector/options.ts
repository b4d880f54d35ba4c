/** What the collector can be told. Defaults live here, beside their help. */

import { z } from 'zod'
import { setting, type Values } from '../wire/settings/settings.ts'
import {
  bytes,
  list,
  NONE,
  oneOf,
  oneOfNumbers,
  PORT,
  some,
  text,
  whole,
  yesNo,
} from '../wire/settings/types.ts'
import type { Profile } from './metrics/catalogue.ts'
import { GROUPS, type MetricGroup } from './metrics/metric.ts'
import type { SinkName } from './sinks/index.ts'
import { splitLogin } from './sinks/influxdb/url.ts'

/** `tcp://*:5556`, or with ntopng's interface id: `tcp://*:5556,ifid=6`. */
const listening = () =>
  z
    .string({ error: 'needs an endpoint' })
    .regex(new RegExp(`^(tcp://[^\\s,]+:(${PORT}|\\*)|ipc://[^\\s,]+)(,ifid=[\\w.-]+)?$`), {
      error: 'needs an endpoint such as tcp://127.0.0.1:5556, with ,ifid=N if wanted',
    })

/** `127.0.0.1:9469`, `[::1]:9469`, or a port alone, which is one of this machine for itself. */
const address = () =>
  z.unknown().transform((given, context) => {
    const [, ip6, name, port] = /^(?:\[([\da-f:.]+)\]:|([^\s:/]+):)?(\d{1,5})$/i.exec(String(given)) ?? []
    if (Number(port) <= 65_535) return { host: ip6 ?? name ?? '127.0.0.1', port: Number(port) }
    context.addIssue({ code: 'custom', message: 'needs an address and a port, such as 127.0.0.1:9469' })
    return z.NEVER
  })

/** With or without a login, as `splitLogin` reads it. */
const url = () =>
  text().refine(given => canSplit(given), { error: 'needs an address such as http://127.0.0.1:8086' })

function canSplit(given: string): boolean {
  try {
    splitLogin(given)
    return true
  } catch {
    return false
  }
}

/** Several words, also in one text: `flows,rtt`. */
const words = <T extends z.ZodType>(word: T) =>
  z.preprocess(
    given => [given].flat().flatMap(text => (typeof text === 'string' ? text.split(/\s*,\s*/) : [text])),
    z.array(word).min(1, { error: NONE }),
  )

const optional = <T>(row: {
  type: z.ZodType<T>
  help: string
  value?: string
  env?: string[]
  secret?: boolean
}) => setting<T | undefined>({ ...row, fallback: undefined })

export const collectorSettings = {
  listen: setting({
    type: some(listening()),
    fallback: ['tcp://127.0.0.1:5556'],
    value: '<endpoint>',
    list: true,
    help: 'ZeroMQ endpoint that probes connect to; its position from 0, or ,ifid=N, is the tag ifid',
  }),
  socket: setting({
    type: text(),
    fallback: '/run/sockflux/collector.sock',
    value: '<path>',
    help: 'unix socket for sockflux query and sockflux top',
  }),
  profile: setting<Profile>({
    type: oneOf('sockflux', 'ntopng'),
    fallback: 'sockflux',
    value: '<name>',
    help: "ntopng: exactly ntopng's measurements and tags, into its database, where pods of one name need hosts with an ,ifid= of their own; or sockflux: all",
  }),
  metrics: setting<MetricGroup[]>({
    type: words(oneOf(...GROUPS)),
    fallback: GROUPS.filter(group => group !== 'process'),
    value: '<group>',
    list: true,
    help: `groups of measurements that profile sockflux writes, all that are wanted, with commas between: ${GROUPS.join(', ')}`,
  }),
  maxSeries: setting({
    type: whole(10, 10_000_000),
    fallback: 10_000,
    value: '<number>',
    help: 'series of one measurement, those of hosts and programs apart; what is beyond them is folded into ~other, one per host, and counted',
  }),
  maxProcesses: setting({
    type: whole(1, 10_000),
    fallback: 20,
    value: '<number>',
    help: 'the busiest process names of a host have series of their own, the others one together, ~other',
  }),
  sink: setting<SinkName[]>({
    type: list(oneOf('influxdb', 'embedded')),
    fallback: [],
    value: '<name>',
    list: true,
    help: 'where samples go, influxdb or embedded; without it influxdb if it has an address, else embedded',
  }),
  store: setting({
    type: text(),
    fallback: '/var/lib/sockflux',
    value: '<directory>',
    help: 'directory of the embedded store',
  }),
  storeDays: setting({
    type: whole(1, 36_500),
    fallback: 7,
    value: '<days>',
    help: 'the embedded store forgets days older than this',
  }),
  storeSize: setting({
    type: bytes(2 ** 20),
    fallback: 2 ** 30,
    value: '<size>',
    help: 'the embedded store forgets its oldest day beyond this size, for example 1G',
  }),
  influxUrl: optional({
    type: url(),
    value: '<address>',
    env: ['INFLUX_URL', 'INFLUX_HOST'],
    help: 'InfluxDB 1.x, 2.x or 3.x, for example http://127.0.0.1:8086',
  }),
  influxVersion: optional({
    type: oneOfNumbers(1, 2, 3),
    value: '<1|2|3>',
    help: 'major version of InfluxDB; asked from it when not given',
  }),
  influxDatabase: optional({
    type: text(),
    value: '<name>',
    env: ['INFLUX_BUCKET', 'INFLUX_DATABASE'],
    help: 'database, or bucket; without it the name of the profile',
  }),
  influxOrg: optional({ type: text(), value: '<name>', env: ['INFLUX_ORG'], help: 'organisation (2.x)' }),
  influxRetentionPolicy: optional({ type: text(), value: '<name>', help: 'retention policy (1.x)' }),
  influxCreate: setting({
    type: yesNo(),
    fallback: true,
    help: 'create the database when it is missing (1.x)',
  }),
  influxCa: optional({
    type: text(),
    value: '<file>',
    help: "certificate of the authority that signed InfluxDB's",
  }),
  influxInsecure: setting({ type: yesNo(), fallback: false, help: "do not verify InfluxDB's certificate" }),
  influxGzip: setting({ type: yesNo(), fallback: true, help: 'compress what is written' }),
  influxTimeout: setting({
    type: whole(1, 300),
    fallback: 10,
    value: '<seconds>',
    help: 'how long one request may take',
  }),
  influxUsername: optional({ type: text(), env: ['INFLUX_USERNAME'], secret: true, help: 'login (1.x)' }),
  influxPassword: optional({
    type: z.string({ error: 'needs a text: put what looks like a number in quotes' }),
    env: ['INFLUX_PASSWORD'],
    secret: true,
    help: 'its password',
  }),
  influxToken: optional({ type: text(), env: ['INFLUX_TOKEN'], secret: true, help: 'token (2.x, 3.x)' }),
  prometheus: optional({
    type: address(),
    value: '<address:port>',
    help: 'answer /metrics, /healthz and /readyz over HTTP, for example at 127.0.0.1:9469; to anyone who can reach it',
  }),
  waitingSamples: setting({
    type: whole(1000, 100_000_000),
    fallback: 500_000,
    value: '<number>',
    help: 'samples that may wait for a sink, some 50 bytes each; beyond it the oldest are dropped and counted',
  }),
  logLevel: setting({
    type: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    fallback: 'info',
    value: '<level>',
    help: 'log lines on standard error: debug, info, warn, error or silent',
  }),
}

export type CollectorOptions = Values<typeof collectorSettings>
