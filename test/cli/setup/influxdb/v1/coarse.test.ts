import t, { type Test } from 'tap'
import { type Influx, startInflux } from '../../../../harness/influx.ts'
import { until } from '../../../../harness/until.ts'
import { setup } from '../given.ts'

const STEP = 10
const MINUTE = 60
const HOUR = 3600

/** One sample, as the collector writes them: seconds, tags, values; no value where none was measured. */
interface Point {
  readonly time: number
  readonly measurement: string
  readonly tags: string
  readonly values: Readonly<Record<string, number>>
}

/** Each window has values of its own, with gaps, a restart of the counters and the subject ~other. */
function windows(from: number, to: number): Point[] {
  const points: Point[] = []
  for (let time = Math.ceil(from / STEP) * STEP; time < to; time += STEP) {
    const n = time / STEP
    const wave = (n * 7919) % 101
    for (const container of ['c1', '~other'])
      for (const role of container === 'c1' ? ['client', 'server'] : ['client']) {
        const tags = `host=h\\ 1,container=${container},label_app=web,role=${role}`
        const scale = role === 'client' ? 1 : 3
        if (n % 5 !== 0)
          points.push({
            ...{ time, tags, measurement: 'container:rtt_dist' },
            values: {
              ...{ samples: wave, min: wave / 7, mean: wave / scale, stddev: wave / 5, p50: wave / 3 },
              ...{ p95: wave * 2, p99: wave * 3, max: wave * scale + 0.25, smoothed_flows: wave % 4 },
            },
          })
        points.push({
          ...{ time, tags, measurement: 'container:tcp' },
          values: {
            ...{ opened: n % 500, closed: n % 499, failed: 0, retransmits: (n % 500) * scale },
            ...{ lost_segments: wave, resets_sent: n % 500, resets_rcvd: 1.5e15 + n },
          },
        })
      }
    if (n % 3 !== 0)
      points.push({
        ...{ time, measurement: 'host:cpu', tags: 'host=h\\ 1' },
        values: { load: wave, user: wave / 2, ...(n % 2 === 0 && { steal: wave / 9 }) },
      })
  }
  return points
}

async function write(server: Influx, points: readonly Point[]): Promise<void> {
  const lines = points.map(({ time, measurement, tags, values }) => {
    const fields = Object.entries(values).map(([name, value]) => `${name}=${value}`)
    return `${measurement},${tags} ${fields.join(',')} ${time}`
  })
  const answer = await fetch(`${server.url}/write?db=flows&precision=s`, {
    method: 'POST',
    body: lines.join('\n'),
  })
  if (answer.status !== 204) throw new Error(await answer.text())
}

type Fold = (values: readonly number[]) => number
const last: Fold = values => values.at(-1)!
const sum: Fold = values => values.reduce((a, b) => a + b, 0)
const mean: Fold = values => sum(values) / values.length
const max: Fold = values => Math.max(...values)
const min: Fold = values => Math.min(...values)

/** By hand, from what the documents promise of each field; not from the tables. */
const FOLDS: Readonly<Record<string, Readonly<Record<string, Fold>>>> = {
  'container:rtt_dist': {
    ...{ samples: sum, min, mean, stddev: mean, p50: max, p95: max, p99: max, max, smoothed_flows: sum },
  },
  'container:tcp': {
    ...{ opened: last, closed: last, failed: last, retransmits: last, resets_sent: last, resets_rcvd: last },
    lost_segments: mean,
  },
  'host:cpu': { load: mean, user: mean, steal: mean },
}

/** Points of a resolution: series and time, then the fields. */
function expected(points: readonly Point[], seconds: number): Map<string, Record<string, number>> {
  const groups = Map.groupBy(
    points,
    ({ time, measurement, tags }) => `${measurement},${tags} ${Math.floor(time / seconds) * seconds}`,
  )
  return new Map(
    [...groups].map(([key, members]) => [
      key,
      Object.fromEntries(
        Object.entries(FOLDS[members[0]!.measurement]!).flatMap(([field, fold]) => {
          const values = members.flatMap(({ values }) => values[field] ?? [])
          return values.length > 0 ? [[field, fold(values)]] : []
        }),
      ),
    ]),
  )
}

async function stored(server: Influx, policy: string): Promise<Map<string, Record<string, unknown>>> {
  const rows = await server.query(`SELECT * FROM "flows"."${policy}"./.*/`)
  return new Map(
    rows.map(({ name, time, host, container, label_app: app, role, ...fields }) => {
      const tags =
        container === undefined || container === null
          ? `host=${host}`
          : `host=${host},container=${container},label_app=${app},role=${role}`
      const values = Object.entries(fields).filter(([, value]) => value !== null)
      return [`${name},${tags.replace('h 1', 'h\\ 1')} ${time}`, Object.fromEntries(values)]
    }),
  )
}

/** @returns what is not as it should be, in words */
function differences(
  found: ReadonlyMap<string, Record<string, unknown>>,
  wanted: ReadonlyMap<string, Record<string, number>>,
): string[] {
  const keys = new Set([...found.keys(), ...wanted.keys()])
  return [...keys].flatMap(key => {
    const [is, should] = [found.get(key), wanted.get(key)]
    if (is === undefined || should === undefined) return `${key}: ${is ? 'is too much' : 'is missing'}`
    const fields = new Set([...Object.keys(is), ...Object.keys(should)])
    return [...fields].flatMap(field => {
      const [a, b] = [Number(is[field]), should[field] ?? Number.NaN]
      return Math.abs(a - b) <= 1e-9 * Math.abs(b)
        ? []
        : `${key} ${field}: ${is[field]} is not ${should[field]}`
    })
  })
}

/** Both resolutions, as far as the minute and the hour are over. */
async function wrong(server: Influx, points: readonly Point[], now: number): Promise<string[]> {
  const parts = [MINUTE, HOUR].map(async seconds => {
    const end = Math.floor(now / seconds) * seconds
    const wanted = expected(
      points.filter(({ time }) => time < end),
      seconds,
    )
    const found = await stored(server, seconds === MINUTE ? 'sockflux_1m' : 'sockflux_1h')
    // a run may come so late that another minute is over
    const over = [...found].filter(([key]) => Number(key.split(' ').at(-1)) < end)
    return differences(new Map(over), wanted)
  })
  return (await Promise.all(parts)).flat()
}

async function influx(t: Test): Promise<Influx> {
  const server = await startInflux()
  t.teardown(() => server.remove())
  return server
}

t.jobs = 2

t.test('coarser points are right, also of an outage whose windows were stored two hours late', async t => {
  const server = await influx(t)
  await setup(server.url)
  const now = Math.floor(Date.now() / 1000)
  const all = windows(now - 130 * MINUTE, now)
  const [begin, end] = [now - 118 * MINUTE, now - 20 * MINUTE]
  const isLate = ({ time }: Point) => time >= begin && time < end
  const early = all.filter(point => !isLate(point))
  await write(server, early)
  // a server that has started runs each continuous query at once
  await server.stop()
  await server.start()
  await until('the first run', async () => (await wrong(server, early, now)).length === 0)
  await write(server, all.filter(isLate))
  t.not((await wrong(server, all, now)).length, 0, 'the late windows are in no coarser point yet')
  await server.stop()
  await server.start()
  await until('the second run', async () => (await wrong(server, all, now)).length === 0).catch(() => {})
  t.same(await wrong(server, all, now), [])
  const types = await server.query('SHOW FIELD KEYS FROM "flows"."sockflux_1h"./.*/')
  t.same([...new Set(types.map(({ fieldType }) => fieldType))], ['float'])
})

t.test('--backfill computes a longer outage, and computes the same twice', async t => {
  const server = await influx(t)
  await setup(server.url)
  const now = Math.floor(Date.now() / 1000)
  const from = Math.floor(now / HOUR) * HOUR - 27 * HOUR
  const end = Math.floor(now / HOUR) * HOUR
  const all = windows(from, end)
  await write(server, all)
  const backfill = { from: '28h', to: undefined }
  const dry = await setup(server.url, { backfill, dryRun: true })
  t.match(dry, ['nothing to change', /^would {2}compute minutes and hours again from /])
  const lines = await setup(server.url, { backfill })
  t.match(lines, ['nothing to change', /from .*:00:00Z to .*:00:00Z: \d+ points$/, /: \d+ points$/])
  const of = (seconds: number) => expected(all, seconds)
  t.same(differences(await stored(server, 'sockflux_1m'), of(MINUTE)), [])
  t.same(differences(await stored(server, 'sockflux_1h'), of(HOUR)), [])
  t.same(await setup(server.url, { backfill }), lines)
  t.same(differences(await stored(server, 'sockflux_1m'), of(MINUTE)), [])
})
