import { globSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { pino } from 'pino'
import t from 'tap'
import { collectorSettings } from '../../../collector/options.ts'
import { Encoded } from '../../../collector/routes.ts'
import { SINKS } from '../../../collector/sinks/index.ts'
import { sinkNames, wantedSinks } from '../../../collector/sinks/open.ts'
import { Sinks } from '../../../collector/sinks/sinks.ts'
import { readSettings } from '../../../wire/settings/read.ts'
import { temporary } from '../../harness/embedded.ts'

const optionsOf = (flags: Record<string, unknown>) => readSettings(collectorSettings, 'collector', flags, {})
const wanted = (flags: Record<string, unknown>) => wantedSinks(optionsOf(flags)).map(({ name }) => name)
const influxUrl = 'http://127.0.0.1:1'
const context = { profile: 'sockflux', version: 'x', log: pino({ level: 'silent' }) } as const

t.test('which sinks are open', async t => {
  t.same(wanted({}), ['embedded'])
  t.same(wanted({ influxUrl }), ['influxdb'])
  t.same(wanted({ influxUrl, sink: ['embedded', 'influxdb', 'embedded'] }), ['embedded', 'influxdb'])
  t.same(wanted({ prometheus: '9469' }), ['embedded', 'prometheus'])
  t.same(wanted({ prometheus: '9469', sink: ['influxdb'] }), ['influxdb', 'prometheus'])
  t.throws(() => wanted({ sink: ['prometheus'] }), /--sink: needs one of influxdb, embedded/)
})

t.test('which of them answers queries', async t => {
  const answers = (flags: Record<string, unknown>) =>
    wantedSinks(optionsOf(flags)).some(({ answersQueries }) => answersQueries)
  t.same(
    [answers({}), answers({ influxUrl }), answers({ influxUrl, sink: ['influxdb', 'embedded'] })],
    [true, false, true],
  )
})

t.test(
  'only its own folder, the line in index.ts, and the set-up of its database know a sink by name',
  async t => {
    const root = join(import.meta.dirname, '../../..')
    const names = new RegExp(`['"\`](${SINKS.map(({ name }) => name).join('|')})['"\`]`)
    const files = ['collector', 'cli'].flatMap(folder =>
      globSync('**/*.ts', { cwd: join(root, folder) }).map(file => join(folder, file)),
    )
    t.ok(files.length > 50)
    const naming = files.filter(
      file =>
        !/^(collector\/sinks\/\w+|cli\/setup)\//.test(file) &&
        names.test(readFileSync(join(root, file), 'utf8')),
    )
    t.same(naming, [])
  },
)

t.test('a folder for each sink, whose descriptor has its name, and settings of its own', async t => {
  const folder = join(import.meta.dirname, '../../../collector/sinks')
  const folders = readdirSync(folder).filter(name => statSync(join(folder, name)).isDirectory())
  t.same(SINKS.map(({ name }) => name).sort(), folders.sort())
  const settings = SINKS.flatMap(({ settings }) => Object.keys(settings))
  t.equal(new Set(settings).size, settings.length)
  t.same(sinkNames, ['influxdb', 'embedded'])
})

t.test('a sink that is named but does not know where says so', async t => {
  await t.rejects(Sinks.open(optionsOf({ sink: ['influxdb'] }), context), {
    message: 'the sink influxdb needs --influx-url or INFLUX_URL',
  })
})

t.test('the routes of what is open, and an answer in place of those of what is not', async t => {
  const query = (sinks: Sinks) =>
    sinks.routes['POST /query']!({
      url: new URL('http://localhost/query'),
      body: { sql: 'select 1 as one' },
      signal: new AbortController().signal,
    })
  const store = join(await temporary(t), 'store')
  const sinks = await Sinks.open(optionsOf({ store, prometheus: 0 }), context)
  t.teardown(() => sinks.close())
  const answer = await query(sinks)
  t.match(answer instanceof Encoded && JSON.parse(answer.json.toString()), { rows: [[1]] })
  t.same(
    sinks.webs.map(({ address, pages }) => [address.port, Object.keys(pages!)]),
    [[0, ['/metrics']]],
  )
  t.match(sinks.view().sinks['embedded'], { damagedDays: 0, damagedLogs: 0, expiredDays: 0, reopened: 0 })
  const without = await Sinks.open(optionsOf({ influxUrl }), context)
  t.teardown(() => without.close())
  await t.rejects(query(without), { status: 404, message: /^this collector has no embedded store: / })
})
