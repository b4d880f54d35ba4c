import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { admin, type Influx, startInflux } from '../harness/influx.ts'
import { needs } from '../harness/skip.ts'
import { logged, openSite, type Site } from '../harness/sockflux.ts'
import { until } from '../harness/until.ts'
import { earlyInWindow, windowNow } from '../harness/windows.ts'

// they wait more than they work
t.jobs = 3

const influxd = { skip: needs('root', 'bpf', 'influxd') }
const HOST = 'outage'
const FIELDS = 'as_client, as_server'

type Sample = Record<string, unknown>

async function setUp(t: Test): Promise<Site> {
  const site = await openSite()
  t.teardown(() => site.close())
  return site
}

async function influxWith(t: Test, options = {}): Promise<Influx> {
  const influx = await startInflux(options)
  t.teardown(() => influx.remove())
  return influx
}

const written = (influx: Influx): Promise<Sample[]> =>
  influx.query(`select ${FIELDS} from "host:num_flows" where "host" = '${HOST}'`, 'sockflux').then(
    rows => rows.map(({ name, ...sample }) => sample),
    () => [], // it is down, or has no such database yet
  )

const stored = (site: Site): Promise<Sample[]> =>
  site
    .query(`select epoch(time) as time, ${FIELDS} from "host:num_flows" where host = '${HOST}' order by time`)
    .catch(() => []) // there is no such table yet

/** The samples up to a window, once that is there. */
function upTo(window: number, samples: () => Promise<Sample[]>): Promise<Sample[]> {
  return until(
    `window ${window}`,
    async () => {
      const found = await samples()
      return found.some(({ time }) => time === window) && found.filter(({ time }) => Number(time) <= window)
    },
    40_000, // the wait between two attempts doubles up to 30 s
  )
}

async function windows(count: number): Promise<number> {
  for (let window = 1; window < count; window++) await earlyInWindow()
  return earlyInWindow()
}

function checkWindows(t: Test, samples: readonly Sample[], first: number, last: number): void {
  const expected = Array.from({ length: last - first + 1 }, (_, index) => first + index)
  const times = samples.map(({ time }) => Number(time)).filter(time => time >= first)
  t.same(times, expected, 'each window once, with its own timestamp')
}

t.test('InfluxDB is down for four windows: they arrive when it is back', influxd, async t => {
  const influx = await influxWith(t)
  const site = await setUp(t)
  const sinks = ['--sink', 'embedded', '--sink', 'influxdb', '--influx-url', influx.url]
  const collector = await site.collector(sinks)
  await site.probe(['--host', HOST])
  const first = windowNow() + 1
  await upTo(first, () => written(influx))
  await influx.stop()
  const down = await windows(4)
  const alone = await upTo(down, () => stored(site))
  t.equal(alone.at(-1)!['time'], down, 'the other sink goes on')
  t.match(collector.stderr, /nothing listens at http\S+: start InfluxDB/, 'and the log says it')
  t.ok((await site.stats()).sinks['influxdb']!.waiting > 0)
  await influx.start()
  const last = await windows(2)
  const samples = await upTo(last, () => written(influx))
  checkWindows(t, samples, first, last)
  t.same(samples, await upTo(last, () => stored(site)), 'with the numbers of the other sink')
  t.match((await site.stats()).sinks['influxdb'], { dropped: 0, refused: {} })
})

t.test('a wrong password is said, and costs nothing once it is right', influxd, async t => {
  const influx = await influxWith(t, { auth: true })
  const site = await setUp(t)
  const flags = ['--influx-url', influx.url]
  const wrong = await site.collector(flags, { INFLUX_USERNAME: admin.username, INFLUX_PASSWORD: 'wrong' })
  await site.probe(['--host', HOST])
  const first = windowNow() + 1
  await logged(wrong, /refuses the login of user \\"admin\\": check username and password/)
  t.notMatch(wrong.stderr, /wrong/, 'the log does not tell the password')
  await windows(3)
  t.match((await site.stats()).sinks['influxdb'], { written: 0, dropped: 0, refused: {} })
  t.same(await wrong.kill('SIGTERM'), { code: 0, signal: null })
  const file = join(site.directory, 'password')
  await writeFile(file, `${admin.password}\n`)
  await site.collector(flags, { INFLUX_USERNAME: admin.username, INFLUX_PASSWORD_FILE: file })
  const last = await windows(2)
  checkWindows(t, await upTo(last, () => written(influx)), first, last)
})
