import { pino } from 'pino'
import t from 'tap'
import { collectorSettings } from '../../../../collector/options.ts'
import { Sinks } from '../../../../collector/sinks/sinks.ts'
import { ranked } from '../../../../wire/rendezvous.ts'
import { readSettings } from '../../../../wire/settings/read.ts'
import { startInflux } from '../../../harness/influx.ts'
import { batch, sample, start } from '../../../harness/samples.ts'
import { ended, SOCKFLUX } from '../../../harness/sockflux.ts'
import { until } from '../../../harness/until.ts'

const HOSTS = Array.from({ length: 24 }, (_, index) => `web${index}`)
const context = { profile: 'sockflux', version: 'x', log: pino({ level: 'silent' }) } as const

const given = (window: number, host: string) => {
  const made = batch(window, [sample([1, 0.5], { host })])
  return { ...made, id: { ...made.id, host } }
}

t.test('each host has one of several InfluxDBs; one that is away holds up its own hosts alone', async t => {
  const servers = await Promise.all([startInflux(), startInflux(), startInflux()])
  t.teardown(() => Promise.all(servers.map(server => server.remove())))
  const urls = servers.map(({ url }) => url)
  const options = readSettings(collectorSettings, 'collector', { influxUrl: urls, spool: 'off' }, {})
  const sinks = await Sinks.open(options, context)
  t.teardown(() => sinks.close())

  const settled: string[] = []
  const push = (window: number) => {
    for (const host of HOSTS)
      for (const [at, { push }] of sinks.outlets.entries())
        push(given(window, host), isKept => settled.push(`${host} ${window} ${at} ${isKept ?? true}`))
  }
  push(0)
  await until('all is settled', () => settled.length === HOSTS.length * servers.length)
  const stored = await Promise.all(
    servers.map(async server => {
      const rows = await server.query('SELECT * FROM "container:num_flows"', 'sockflux')
      return rows.map(({ host }) => String(host)).sort()
    }),
  )
  const wanted = urls.map(url => HOSTS.filter(host => ranked(host, urls)[0] === url).sort())
  t.same(stored, wanted)
  t.ok(
    wanted.every(({ length }) => length > 0),
    `${wanted.map(({ length }) => length)} hosts`,
  )
  t.same(
    Object.keys(sinks.view().sinks),
    urls.map(url => `influxdb ${url} sockflux`),
  )

  const line = { name: 'flows', measurement: 'container:num_flows', field: 'as_client', only: {} } as const
  const question = { lines: [{ ...line, calc: 'mean', over: 'sum' }] as const, from: start, to: start + 10 }
  const points = await sinks.history!({ ...question, step: 10 }, new AbortController().signal)
  t.equal(
    points.reduce((sum, [, , value]) => sum + value, 0),
    HOSTS.length,
    'charts have the hosts of all',
  )
  const setup = await ended([
    ...SOCKFLUX,
    ...['setup', 'influxdb', '--keep-raw', 'infinite'],
    ...urls.flatMap(url => ['--influx-url', url]),
  ])
  t.equal(setup.code, 0, setup.stderr)
  for (const server of servers) {
    const policies = await server.query('SHOW RETENTION POLICIES', 'sockflux')
    t.ok(
      policies.some(({ name }) => name === 'sockflux_1h'),
      'each is set up',
    )
  }

  await servers[0]!.stop()
  settled.length = 0
  push(1)
  const away = wanted[0]!.length
  await until('the others are settled', () => settled.length === HOSTS.length * servers.length - away)
  t.equal(sinks.stats().waiting, away)
  await servers[0]!.start()
  await until('all is settled', () => settled.length === HOSTS.length * servers.length, 30_000)
  t.equal(sinks.stats().written, 2 * HOSTS.length)
})
