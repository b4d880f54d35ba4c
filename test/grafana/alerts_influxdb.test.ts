/** Grafana's alert rules over InfluxDB: the real queries against InfluxDB 1.6, the steps after them by a small evaluator. */

import t from 'tap'
import { type Influx, startInflux } from '../harness/influx.ts'
import { needs } from '../harness/skip.ts'
import { type Line, linesOf } from './ask.ts'
import { type Rule, rulesOf } from './files.ts'
import { influxqlWith } from './replace.ts'

const skip = needs('influxd')
/** Minutes; a sample in each of them. */
const LAST = 15
/** Long ago, too. */
const MINUTES = [-25 * 60, -20 * 60, ...Array.from({ length: LAST + 1 }, (_, minute) => minute)]
const NOW = Math.floor(Date.now() / 60_000) * 60 + 30

const WHO = 'host=n,namespace=trade,pod=shop-0,container_name=main,container=c1'
/** A line of the line protocol for each minute; undefined is none. */
type Points = (minute: number) => string | undefined
const container =
  (measurement: string, field: string, value: (minute: number) => number, tags = ''): Points =>
  minute =>
    `container:${measurement},${WHO}${tags} ${field}=${value(minute)}`
const lost =
  (who: string, stage: string, reason: string, when: (minute: number) => boolean): Points =>
  minute =>
    when(minute) ? `${who}:lost,host=n,stage=${stage},reason=${reason} count=${minute}` : undefined
const memory =
  (when: (minute: number) => boolean): Points =>
  minute =>
    when(minute) ? `probe:stats,host=n memory=1` : undefined

const client = ',role=client'
const recently = (minute: number) => minute > LAST - 5
const before = (minute: number) => minute < LAST - 11

/** By the title of the rule: what makes it fire, and what near it does not. */
const CASES: Readonly<Record<string, { fires: readonly Points[][]; quiet: readonly Points[][] }>> = {
  'Round-trip time is high': {
    fires: [[container('rtt_dist', 'p95', () => 300, client)]],
    quiet: [
      [container('rtt_dist', 'p95', () => 190, client)],
      [container('rtt_dist', 'p95', minute => (minute === LAST - 2 ? 900 : 10), client)],
    ],
  },
  'Many segments are sent again': {
    fires: [
      [
        container('tcp', 'retransmits', minute => 60 * minute, client),
        container('traffic', 'packets_sent', minute => 600 * minute),
      ],
    ],
    quiet: [
      [
        container('tcp', 'retransmits', minute => 6 * minute, client),
        container('traffic', 'packets_sent', minute => 600 * minute),
      ],
      [
        container('tcp', 'retransmits', minute => 5 * minute, client),
        container('traffic', 'packets_sent', minute => 10 * minute),
      ],
    ],
  },
  'Connects fail': {
    fires: [[container('tcp', 'failed', minute => 4 * minute, client)]],
    quiet: [
      [container('tcp', 'failed', minute => minute, client)],
      [container('tcp', 'failed', minute => 40 * minute, ',role=server')],
    ],
  },
  'A probe loses data': {
    fires: [[lost('probe', 'queue', 'full', minute => minute === LAST - 3)]],
    quiet: [
      [lost('probe', 'queue', 'full', before)],
      [lost('probe', 'window', 'skipped', recently), lost('probe', 'kernel', 'close_missed', recently)],
    ],
  },
  'A collector loses data': {
    fires: [[lost('collector', 'ingest', 'gap', minute => minute === LAST - 3)]],
    quiet: [
      [lost('collector', 'ingest', 'gap', before)],
      [lost('collector', 'series', 'beyond_max_series', recently)],
    ],
  },
  'A probe is silent': {
    fires: [[memory(minute => minute < LAST - 5)], [memory(minute => minute === -20 * 60)]],
    // in the running minute nothing came yet
    quiet: [
      [memory(() => true)],
      [memory(minute => minute < LAST)],
      // a host that was taken away
      [memory(minute => minute === -25 * 60)],
    ],
  },
  'The ceiling of series is reached': {
    fires: [[lost('collector', 'series', 'beyond_max_series', minute => minute === LAST - 3)]],
    quiet: [
      [lost('collector', 'series', 'beyond_max_series', before)],
      [lost('collector', 'series', 'shared_hosts', recently)],
    ],
  },
}

t.test("each of Grafana's rules over InfluxDB fires when it must, and not near it", { skip }, async t => {
  const influx = await startInflux()
  t.teardown(() => influx.remove())
  const rules = rulesOf('influxdb1')
  t.same(
    Object.keys(CASES),
    rules.map(({ title }) => title),
    'each has its cases',
  )
  let databases = 0
  for (const rule of rules) {
    const { fires, quiet } = CASES[rule.title]!
    for (const [isFiring, cases] of [
      [true, fires],
      [false, quiet],
    ] as const)
      for (const points of cases) {
        const database = `d${databases++}`
        await write(influx, database, points)
        const found = await evaluate(influx, database, rule)
        t.equal(found.length, isFiring ? 1 : 0, `${rule.title} ${isFiring ? 'fires' : 'does not fire'}`, {
          found,
        })
        if (isFiring) t.equal(found[0]!.tags['host'], 'n', 'and says where')
      }
  }
})

async function write(influx: Influx, database: string, points: readonly Points[]): Promise<void> {
  await influx.query(`CREATE DATABASE ${database}`)
  const lines: string[] = []
  for (const minute of MINUTES)
    for (const each of points) {
      const line = each(minute)
      if (line) lines.push(`${line} ${NOW - 60 * (LAST - minute) - 20}`)
    }
  const body = lines.join('\n')
  const { status } = await fetch(`${influx.url}/write?db=${database}&precision=s`, { method: 'POST', body })
  t.equal(status, 204)
}

/** One number for each combination of tags. */
type Numbers = readonly { readonly tags: Line['tags']; readonly value: number }[]

const REDUCERS: Readonly<Record<string, (values: readonly number[]) => number>> = {
  last: values => values.at(-1)!,
  sum: values => values.reduce((sum, value) => sum + value, 0),
  mean: values => values.reduce((sum, value) => sum + value, 0) / values.length,
}

/** Grafana's expressions reduce, math (only the one that the rules have) and threshold. @returns what fires */
async function evaluate(influx: Influx, database: string, { data, condition }: Rule): Promise<Numbers> {
  const lines = new Map<string, Line[]>()
  const numbers = new Map<string, Numbers>()
  for (const { refId, datasourceUid, relativeTimeRange, model } of data) {
    if (datasourceUid !== '__expr__') {
      const range = { from: NOW - relativeTimeRange!.from, to: NOW, interval: 60 }
      lines.set(refId, linesOf(await influx.query(influxqlWith(model.query!, {}, range), database)))
      continue
    }
    const [of = ''] = (model.expression ?? '').match(/[A-Z]\b/) ?? []
    if (model['type'] === 'reduce') {
      const reducer = REDUCERS[model['reducer'] as string]!
      numbers.set(
        refId,
        lines
          .get(of)!
          .map(({ tags, values }) => ({ tags, value: reducer(values.map(([, value]) => value)) })),
      )
    } else if (model['type'] === 'threshold') {
      const [{ evaluator }] = model['conditions'] as [{ evaluator: { type: 'gt' | 'lt'; params: [number] } }]
      const [than] = evaluator.params
      const isBeyond = (value: number) => (evaluator.type === 'gt' ? value > than : value < than)
      numbers.set(
        refId,
        numbers.get(of)!.filter(({ value }) => isBeyond(value)),
      )
    } else {
      t.equal(model.expression, '100 * $C / $D * ($D > 1)')
      const wholes = numbers.get('D')!
      numbers.set(
        refId,
        numbers.get('C')!.flatMap(({ tags, value }) => {
          const whole = wholes.find(other => JSON.stringify(other.tags) === JSON.stringify(tags))?.value
          return whole === undefined ? [] : [{ tags, value: ((100 * value) / whole) * (whole > 1 ? 1 : 0) }]
        }),
      )
    }
  }
  return numbers.get(condition)!
}
